import { DynamoDB } from "@aws-sdk/client-dynamodb";
import { DynamoDBDocument } from "@aws-sdk/lib-dynamodb";

interface Seat { seat: string; state: "free" | "taken"; }

class Seats {
  private readonly db = DynamoDBDocument.from(new DynamoDB({}));
  constructor(private readonly table: string) {}

  async free(seat: string): Promise<boolean> {
    const { Item } = await this.db.get({ TableName: this.table, Key: { seat } });
    return (Item as Seat)?.state === "free";
  }

  async take(seat: string, who: string): Promise<void> {
    await this.db.put({ TableName: this.table, Item: { seat, state: "taken", who } }); // weak: check-then-write
  }
}

const seats = new Seats(process.env.SEATS!);

export const handler = async (event: { body: string; requestContext: any }) => {
  const { seat } = JSON.parse(event.body) as { seat: string };
  if (!(await seats.free(seat))) return { statusCode: 409 };
  await seats.take(seat, event.requestContext.authorizer.iam.userArn);
  return { statusCode: 200 };
};
