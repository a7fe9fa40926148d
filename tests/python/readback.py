"""Reads what is in AWS, or in a stand-in for it, with a client that is not ours (boto3), and prints it as one JSON object.

    readback.py --endpoint URL [--region REGION]...

Credentials come from the environment. Only a loopback endpoint is read.
"""

import argparse
import ipaddress
import json
import sys
from urllib.parse import urlparse

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError


class Reader:
    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint

    def client(self, service: str, region: str = "us-east-1"):
        config = Config(s3={"addressing_style": "path"}, retries={"max_attempts": 3}, connect_timeout=5, read_timeout=30)
        return boto3.client(service, region_name=region, endpoint_url=self.endpoint, config=config)

    def pages(self, client, call: str, key: str, **arguments):
        for page in client.get_paginator(call).paginate(**arguments):
            yield from page.get(key, [])

    def roles(self) -> list[dict]:
        iam = self.client("iam")
        return [self.role(iam, role) for role in self.pages(iam, "list_roles", "Roles")]

    def role(self, iam, role: dict) -> dict:
        name = role["RoleName"]
        full = iam.get_role(RoleName=name)["Role"]
        attached = self.pages(iam, "list_attached_role_policies", "AttachedPolicies", RoleName=name)
        return {
            "name": name,
            "arn": role["Arn"],
            "path": role["Path"],
            "description": full.get("Description", ""),
            "trust_policy": role["AssumeRolePolicyDocument"],
            "attached_policies": sorted(policy["PolicyArn"] for policy in attached),
            "inline_policies": sorted(self.pages(iam, "list_role_policies", "PolicyNames", RoleName=name)),
            "tags": tags(full.get("Tags", [])),
        }

    def functions(self, region: str) -> list[dict]:
        client = self.client("lambda", region)
        listed = self.pages(client, "list_functions", "Functions")
        return [self.function(client, region, function["FunctionName"]) for function in listed]

    def function(self, client, region: str, name: str) -> dict:
        answer = client.get_function(FunctionName=name)
        found = answer["Configuration"]
        return {
            "name": name,
            "region": region,
            "arn": found["FunctionArn"],
            "role": found["Role"],
            "runtime": found.get("Runtime", ""),
            "handler": found.get("Handler", ""),
            "description": found.get("Description", ""),
            "memory_size": found.get("MemorySize", 0),
            "timeout": found.get("Timeout", 0),
            "environment": found.get("Environment", {}).get("Variables", {}),
            "architectures": found.get("Architectures", []),
            "layers": [layer["Arn"] for layer in found.get("Layers", [])],
            "code_sha256": found.get("CodeSha256", ""),
            "state": found.get("State", ""),
            "last_update_status": found.get("LastUpdateStatus", ""),
            "tags": answer.get("Tags", {}),
        }

    def buckets(self) -> list[dict]:
        s3 = self.client("s3")
        return [self.bucket(s3, bucket["Name"]) for bucket in s3.list_buckets()["Buckets"]]

    def bucket(self, s3, name: str) -> dict:
        return {
            "name": name,
            # S3 gives no location for the region that it began with.
            "region": s3.get_bucket_location(Bucket=name).get("LocationConstraint") or "us-east-1",
            "versioning": s3.get_bucket_versioning(Bucket=name).get("Status", ""),
            "tags": self.bucket_tags(s3, name),
            "objects": [self.object(s3, name, key) for key in self.keys(s3, name)],
        }

    def keys(self, s3, bucket: str) -> list[str]:
        return [found["Key"] for found in self.pages(s3, "list_objects_v2", "Contents", Bucket=bucket)]

    def bucket_tags(self, s3, name: str) -> dict:
        try:
            return tags(s3.get_bucket_tagging(Bucket=name)["TagSet"])
        except ClientError as error:
            if error.response["Error"]["Code"] == "NoSuchTagSet":
                return {}
            raise

    def object(self, s3, bucket: str, key: str) -> dict:
        head = s3.head_object(Bucket=bucket, Key=key)
        return {
            "key": key,
            "size": head["ContentLength"],
            "etag": head["ETag"].strip('"'),
            "content_type": head.get("ContentType", ""),
            "metadata": head.get("Metadata", {}),
            "tags": tags(s3.get_object_tagging(Bucket=bucket, Key=key)["TagSet"]),
        }


def tags(listed: list[dict]) -> dict:
    return {tag["Key"]: tag["Value"] for tag in listed}


def by_name(found: list[dict]) -> list[dict]:
    return sorted(found, key=lambda thing: thing["name"])  # moto lists in any order


def is_loopback(endpoint: str) -> bool:
    try:
        return ipaddress.ip_address(urlparse(endpoint).hostname or "").is_loopback
    except ValueError:
        return urlparse(endpoint).hostname == "localhost"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--endpoint", required=True)
    parser.add_argument("--region", action="append", default=[], help="regions whose functions to read")
    arguments = parser.parse_args()
    if not is_loopback(arguments.endpoint):
        parser.error("the endpoint is not on loopback")
    reader = Reader(arguments.endpoint)
    json.dump(
        {
            "roles": by_name(reader.roles()),
            "functions": [function for region in arguments.region for function in by_name(reader.functions(region))],
            "buckets": by_name(reader.buckets()),
        },
        sys.stdout,
        indent=1,
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
