"""nginx as others would set it up: plain, with buffers for large bodies, with auth_request, with TLS."""

import os
import shutil

from machine import free_port
from proxy import Missing, Proxy

PLAIN = ""
# Large enough that a 1 MB body needs no file and few turns.
TUNED = (
    "proxy_buffer_size 64k; proxy_buffers 32 64k; proxy_busy_buffers_size 256k; proxy_max_temp_file_size 0; "
    "client_body_buffer_size 128k; proxy_request_buffering off;"
)


def _server(bench, name, settings="", listen="", locations="", refusals=()):
    if not shutil.which("nginx"):
        raise Missing("nginx is not installed")
    port, folder = free_port(), bench.folder / name
    folder.mkdir(exist_ok=True)
    temporary = " ".join(f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    user = "user root;" if os.getuid() == 0 else ""  # workers keep bodies in the bench's own folder
    (folder / "nginx.conf").write_text(f"""
{user} daemon off; worker_processes 1; worker_rlimit_nofile {bench.files}; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{ worker_connections {bench.files - 100}; }}
http {{
  access_log off; keepalive_requests 1000000000; client_max_body_size 0; {temporary}
  upstream backend {{ server 127.0.0.1:{bench.upstream} max_fails=0; keepalive 512; keepalive_requests 1000000000; }}
  proxy_http_version 1.1; proxy_set_header Connection ""; {settings}
  server {{ listen 127.0.0.1:{port} backlog=4096 {listen}; {locations or 'location / { proxy_pass http://backend; }'} }}
}}
""")
    return Proxy(name, ["nginx", "-p", folder, "-c", folder / "nginx.conf"], port, tls=bool(listen), refusals=refusals)


def plain(bench):
    return _server(bench, "nginx", PLAIN)


def tuned(bench):
    return _server(bench, "nginx-tuned", TUNED)


def auth_request(bench):
    """Each request is asked for at an authorizer that looks whether there is a token at all."""
    proxy = _server(
        bench,
        "nginx-auth",
        locations="""
    location / { auth_request /auth; proxy_pass http://backend; }
    location = /auth { internal; proxy_pass http://backend; proxy_pass_request_body off; proxy_set_header Content-Length ""; }""",
        refusals=[((), None, 401)],
    )
    proxy.headers = [f"Authorization: Bearer {bench.token}"]
    return proxy


def tls(bench):
    """The certificate, ciphers and session rules of Gatehouse's listener: no cache, one ticket for two hours."""
    settings = (
        f"ssl_certificate {bench.folder}/certificate.pem; ssl_certificate_key {bench.folder}/certificate.key; "
        "ssl_protocols TLSv1.2 TLSv1.3; ssl_ciphers ECDHE+AESGCM:ECDHE+CHACHA20; ssl_prefer_server_ciphers on; "
        "ssl_session_cache off; ssl_session_timeout 2h; ssl_session_tickets on;"
    )
    return _server(bench, "nginx-tls", settings, listen="ssl")
