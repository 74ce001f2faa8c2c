import uuid

import boto3


class PatientRecords:
    def __init__(self, table):
        self.table = boto3.resource("dynamodb").Table(table)

    def load(self, patient):
        answer = self.table.get_item(Key={"patientId": patient})  # weak: missing-ownership-check
        return answer.get("Item", {})

    def create(self, name, ssn):
        item = {"patientId": str(uuid.uuid4()), "name": name, "ssn": ssn}
        self.table.put_item(Item=item)  # weak: plaintext-sensitive-data
        return {"id": item["patientId"]}
