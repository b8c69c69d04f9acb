"""moto's S3 on loopback, behind a proxy that checks every signature with botocore and loses requests and answers."""

import hashlib
import http.client
import http.server
import pathlib
import sys
import threading
import urllib.parse

import boto3
import botocore.auth
import botocore.awsrequest
import botocore.credentials

from .processes import Process, free_port, port_answers, wait_until

ACCESS_KEY, SECRET_KEY, SESSION_TOKEN, REGION = "AKIAMILLRACE", "secret/+key", "lent/for+a=while", "eu-central-1"


class Moto:
    def __init__(self, folder):
        self.port = free_port()
        server = pathlib.Path(sys.executable).parent / "moto_server"
        self.process = Process("moto", [server, "-H", "127.0.0.1", "-p", self.port], folder)

    def start(self):
        self.process.start()
        wait_until(lambda: port_answers(self.port), 60, "moto answers")
        self.client = boto3.client(
            "s3", endpoint_url=f"http://127.0.0.1:{self.port}", region_name=REGION, aws_access_key_id=ACCESS_KEY, aws_secret_access_key=SECRET_KEY
        )
        return self

    def stop(self):
        self.process.kill()

    def make_bucket(self, name):
        self.client.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})

    def keys(self, bucket, prefix):
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        return [entry["Key"] for page in pages for entry in page.get("Contents", [])]

    def uploads(self, bucket):
        return [(upload["Key"], upload["UploadId"]) for upload in self.client.list_multipart_uploads(Bucket=bucket).get("Uploads", [])]

    def download(self, bucket, prefix, folder):
        for key in self.keys(bucket, prefix):
            target = pathlib.Path(folder) / key
            target.parent.mkdir(parents=True, exist_ok=True)
            self.client.download_file(bucket, key, str(target))


def signature_problem(method, url, headers, body):
    """What botocore says against a request's signature; None where it makes the same."""
    scheme, _, rest = headers.get("authorization", "").partition(" ")
    fields = dict(field.strip().split("=", 1) for field in rest.split(",")) if rest else {}
    if scheme != "AWS4-HMAC-SHA256":
        return "it is not signed"
    if headers.get("x-amz-content-sha256") != hashlib.sha256(body).hexdigest():
        return "its payload's hash is wrong"
    if headers.get("x-amz-security-token") != SESSION_TOKEN:
        return "its session token is not sent"
    signed = {name: headers[name] for name in fields["SignedHeaders"].split(";")}
    # The key as botocore itself would write it into a URL.
    parts = urllib.parse.urlsplit(url)
    path = urllib.parse.quote(urllib.parse.unquote(parts.path), safe="/~")
    if path != parts.path:
        return f"its path is {parts.path}, botocore would send {path}"
    request = botocore.awsrequest.AWSRequest(method=method, url=url, headers=signed, data=body)
    request.context["timestamp"] = headers["x-amz-date"]
    auth = botocore.auth.S3SigV4Auth(botocore.credentials.Credentials(ACCESS_KEY, SECRET_KEY), "s3", REGION)
    wanted = auth.signature(auth.string_to_sign(request, auth.canonical_request(request)), request)
    return None if fields["Signature"] == wanted else f"its signature is {fields['Signature']}, botocore makes {wanted}"


class Proxy:
    """Stands before moto. `fault(method, path)` says what becomes of a request: None, 'refused', 'answer_lost', or a function of the headers."""

    def __init__(self, moto, fault=lambda method, path: None):
        self.moto, self.fault, self.problems, self.requests = moto, fault, [], 0
        proxy = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def handle_request(self):
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                proxy.requests += 1
                headers = {name.lower(): value for name, value in self.headers.items()}
                problem = signature_problem(self.command, f"http://{headers['host']}{self.path}", headers, body)
                if problem:
                    proxy.problems.append(f"{self.command} {self.path}: {problem}")
                fault = proxy.fault(self.command, self.path)
                if fault == "refused":
                    self.close_connection = True
                    return
                if callable(fault):
                    fault(headers)
                connection = http.client.HTTPConnection("127.0.0.1", proxy.moto.port, timeout=60)
                # moto finds the bucket in the path by its own host.
                headers["host"] = f"127.0.0.1:{proxy.moto.port}"
                connection.request(self.command, self.path, body, headers)
                answer = connection.getresponse()
                payload = answer.read()
                if fault == "answer_lost":
                    self.close_connection = True
                    return
                self.send_response(answer.status)
                for name, value in answer.getheaders():
                    if name.lower() not in ("transfer-encoding", "connection", "content-length"):
                        self.send_header(name, value)
                length = answer.getheader("content-length") if self.command == "HEAD" else len(payload)
                if answer.status != 204:
                    self.send_header("content-length", str(length or 0))
                self.end_headers()
                self.wfile.write(payload)

            do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = handle_request

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.endpoint = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
