import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { DynamoDBDocumentClient, GetCommand } from "@aws-sdk/lib-dynamodb";

const client = DynamoDBDocumentClient.from(new DynamoDBClient({}));

export class ProjectStore {
  constructor(private readonly table: string) {}

  async find(projectId: string) {
    const { Item } = await client.send(new GetCommand({ TableName: this.table, Key: { projectId } }));
    return Item;
  }
}
