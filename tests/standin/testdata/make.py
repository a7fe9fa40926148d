"""Makes in AWS what the test of the reader expects to find: argv[1] is the endpoint."""

import io
import sys
import zipfile

import boto3

TRUST = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}'


def client(service: str, region: str):
    return boto3.client(
        service, region_name=region, endpoint_url=sys.argv[1], aws_access_key_id="maker", aws_secret_access_key="maker"
    )


iam = client("iam", "us-east-1")
role = iam.create_role(
    RoleName="runner", Path="/deploy/", AssumeRolePolicyDocument=TRUST, Tags=[{"Key": "graph-id", "Value": "aaaa1111"}]
)["Role"]
iam.attach_role_policy(RoleName="runner", PolicyArn="arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole")

archive = io.BytesIO()
with zipfile.ZipFile(archive, "w") as file:
    file.writestr("handler.py", "def run(event, context): return event\n")

for region in ("us-east-1", "eu-west-2"):
    s3 = client("s3", region)
    location = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    s3.create_bucket(Bucket=f"code-{region}", **location)
    s3.put_bucket_tagging(Bucket=f"code-{region}", Tagging={"TagSet": [{"Key": "graph-id", "Value": "aaaa1111"}]})
    s3.put_object(Bucket=f"code-{region}", Key="app.zip", Body=archive.getvalue(), Metadata={"made-by": "test"}, Tagging="a=b")
    client("lambda", region).create_function(
        FunctionName="app", Runtime="python3.12", Handler="handler.run", Role=role["Arn"], MemorySize=256, Timeout=7,
        Code={"S3Bucket": f"code-{region}", "S3Key": "app.zip"}, Environment={"Variables": {"STAGE": "dev"}},
        Tags={"graph-id": "aaaa1111"},
    )
