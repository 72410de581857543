"""nginx as a real upstream, on a socket that the test has bound for it, so that no port is guessed."""

import os
import pathlib
import shutil
import socket
import tempfile

from .process import Process, run, wait_for

_CONFIG = """
daemon off;
worker_processes 1;
{user}
pid {folder}/nginx.pid;
error_log stderr warn;
events {{ worker_connections 512; }}
http {{
    access_log off;
    default_type application/octet-stream;
    client_max_body_size 32m;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    keepalive_timeout 60s;
    server {{
        listen 127.0.0.1:{port};
        root {folder}/www;
        location = /echo {{
            default_type text/plain;
            return 200 "method=$request_method\\nuri=$request_uri\\nhost=$http_host\\nuser=$http_x_authorizer_userid\\n";
        }}
        location /upload/ {{
            dav_methods PUT DELETE;
            create_full_put_path on;
        }}
        location = /missing-content {{ return 204; }}
        location = /moved {{ return 302 http://elsewhere.example/; }}
    }}
}}
"""


class Nginx:
    """Serves `files` (name -> bytes) and /echo, /missing-content, /moved; takes PUT below /upload/."""

    def __init__(self, files=None):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="gatehouse-nginx-"))
        www = self.folder / "www"
        (www / "upload").mkdir(parents=True)
        for name, data in (files or {}).items():
            (www / name).write_bytes(data)
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=256)
        self._socket.set_inheritable(True)
        self.port = self._socket.getsockname()[1]
        self.authority = f"127.0.0.1:{self.port}"
        self.url = f"http://{self.authority}"
        config = self.folder / "nginx.conf"
        # A root master would hand its worker to nobody, who cannot read the folder.
        user = "user root;" if os.geteuid() == 0 else ""
        config.write_text(_CONFIG.format(folder=self.folder, port=self.port, user=user))
        program = shutil.which("nginx") or "/usr/sbin/nginx"
        # NGINX names inherited listening sockets, as nginx itself does on a binary upgrade.
        environment = dict(os.environ, NGINX=f"{self._socket.fileno()};")
        self.process = Process(
            [program, "-p", self.folder, "-e", "stderr", "-c", config],
            env=environment,
            pass_fds=(self._socket.fileno(),),
        )
        try:
            wait_for(self._ready, "nginx to answer", timeout=20)
        except AssertionError:
            self.close()
            raise

    def _ready(self):
        if self.process.poll() is not None:
            raise AssertionError("nginx ended\n" + self.process.tail())
        return run(["curl", "-s", "-o", "/dev/null", "--max-time", "2", f"{self.url}/echo"]).status == 0

    def uploaded(self, name):
        return (self.folder / "www" / "upload" / name).read_bytes()

    def close(self):
        self.process.kill()
        self._socket.close()
        shutil.rmtree(self.folder, ignore_errors=True)
