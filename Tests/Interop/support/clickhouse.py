"""A real ClickHouse on loopback, of the version that Debian has."""

import pathlib
import urllib.request

from .processes import Process, free_port, wait_until

CONFIGURATION = """<yandex>
<logger><level>warning</level><log>{folder}/log</log><errorlog>{folder}/errors</errorlog></logger>
<http_port>{port}</http_port><tcp_port>{native}</tcp_port><listen_host>127.0.0.1</listen_host>
<path>{folder}/data/</path><tmp_path>{folder}/tmp/</tmp_path><mark_cache_size>67108864</mark_cache_size>
<users_config>{folder}/users.xml</users_config><default_profile>default</default_profile><default_database>default</default_database>
</yandex>"""
USERS = """<yandex><profiles><default/></profiles><quotas><default/></quotas><users>
<default><password></password><networks><ip>127.0.0.1</ip></networks><profile>default</profile><quota>default</quota></default>
<etl><password>secret</password><networks><ip>127.0.0.1</ip></networks><profile>default</profile><quota>default</quota></etl>
</users></yandex>"""


class ClickHouse(Process):
    def __init__(self, folder):
        folder = pathlib.Path(folder)
        self.port = free_port()
        (folder / "config.xml").write_text(CONFIGURATION.format(folder=folder, port=self.port, native=free_port()))
        (folder / "users.xml").write_text(USERS)
        for name in ("data", "tmp"):
            (folder / name).mkdir()
        super().__init__("clickhouse", ["clickhouse-server", f"--config-file={folder}/config.xml"], folder)

    def start(self):
        super().start()
        wait_until(self.answers, 60, "ClickHouse answers")
        return self

    def answers(self):
        assert self.is_running, self.tail()
        try:
            return self.query("select 1") == [("1",)]
        except OSError:
            return False

    def query(self, statement):
        """The rows' columns as texts."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}/", data=statement.encode())
        with urllib.request.urlopen(request, timeout=60) as answer:
            return [tuple(line.split("\t")) for line in answer.read().decode().splitlines()]
