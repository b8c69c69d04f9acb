"""Certificates for tests, made by OpenSSL: what our own `millrace tls init` makes is then not its own judge."""

import pathlib
import subprocess


class Authority:
    """A CA in a folder of its own."""

    def __init__(self, folder, name="ca"):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.certificate = self.folder / f"{name}.pem"
        self.key = self.folder / f"{name}.key"
        _openssl(
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
            "-subj", f"/CN={name}", "-keyout", self.key, "-out", self.certificate,
            "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign",
        )

    def issue(self, name, names="DNS:localhost,IP:127.0.0.1", kind="ec"):
        """A certificate and its key: paths."""
        key, certificate, request = (self.folder / f"{name}.{end}" for end in ("key", "pem", "csr"))
        algorithm = ["rsa:2048"] if kind == "rsa" else ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
        _openssl(
            "req", "-newkey", *algorithm, "-nodes", "-subj", f"/O=Example/CN={name}", "-keyout", key, "-out", request,
            "-addext", f"subjectAltName={names}",
        )
        _openssl(
            "x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", self.key, "-CAcreateserial",
            "-days", "30", "-copy_extensions", "copy", "-out", certificate,
        )
        return certificate, key


def _openssl(*arguments):
    done = subprocess.run(["openssl", *map(str, arguments)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
