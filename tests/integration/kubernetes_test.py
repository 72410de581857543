"""docker/kubernetes holds what it promises, as far as that can be seen without a cluster."""

import json
import pathlib
import re
import socket
import tempfile
import unittest

import yaml

from support.case import GatewayCase
from support.gateway import ROOT, command, config, api, mock, jwt_authorizer
from support.issuer import Issuer
from support.tokens import ec_key

FOLDER = ROOT / "docker" / "kubernetes"
PROGRAM = "/usr/local/bin/gatehouse"


def documents():
    return [
        document
        for path in sorted(FOLDER.glob("*.yaml"))
        for document in yaml.safe_load_all(path.read_text(encoding="utf-8"))
    ]


def of_kind(kind, name=None):
    found = [d for d in documents() if d["kind"] == kind and name in (None, d["metadata"]["name"])]
    assert len(found) == 1, f"{len(found)} of {kind} {name}"
    return found[0]


def configuration():
    return of_kind("ConfigMap", "users-gatehouse")["data"]["gatehouse.json"]


def settings():
    """The configuration without its comments."""
    return json.loads(re.sub(r"(?m)^\s*//.*$", "", configuration()))


class Files(unittest.TestCase):
    def setUp(self):
        self.pod = of_kind("Deployment")["spec"]["template"]["spec"]
        self.containers = {container["name"]: container for container in self.pod["containers"]}
        self.gatehouse = self.containers["gatehouse"]

    def test_they_parse_and_have_their_kinds(self):
        kinds = sorted(document["kind"] for document in documents())
        self.assertEqual(["ConfigMap", "ConfigMap", "Deployment", "Service"], kinds)
        for document in documents():
            self.assertEqual({"apiVersion", "kind", "metadata"}, set(document) - {"spec", "data"})

    def test_the_configuration_passes_the_check(self):
        with tempfile.TemporaryDirectory() as folder:
            # As a ConfigMap is mounted: the name leads through two symbolic links.
            root = pathlib.Path(folder)
            (root / "..version1").mkdir()
            (root / "..version1" / "gatehouse.json").write_text(configuration(), encoding="utf-8")
            (root / "..data").symlink_to("..version1")
            (root / "gatehouse.json").symlink_to("..data/gatehouse.json")
            result = command("check", root / "gatehouse.json")
            self.assertEqual(0, result.status, result)

    def test_the_image_is_the_one_that_the_dockerfile_names(self):
        dockerfile = (ROOT / "docker" / "Dockerfile").read_text(encoding="utf-8")
        name = re.search(r"docker build -f docker/Dockerfile -t (\S+) \.", dockerfile).group(1)
        self.assertEqual(f"{name}:latest", self.gatehouse["image"])
        self.assertIn(f'ENTRYPOINT ["{PROGRAM}"]', dockerfile)
        self.assertIn(f"GATEHOUSE_LISTEN=0.0.0.0:{self.gatehouse['ports'][0]['containerPort']} ", dockerfile)
        user = re.search(r"USER (\d+):(\d+)", dockerfile)
        context = self.pod["securityContext"]
        self.assertEqual((int(user.group(1)), int(user.group(2))), (context["runAsUser"], context["runAsGroup"]))

    def test_nothing_is_allowed_that_is_not_needed(self):
        self.assertIs(False, self.pod["automountServiceAccountToken"])
        context = self.pod["securityContext"]
        self.assertIs(True, context["runAsNonRoot"])
        self.assertEqual("RuntimeDefault", context["seccompProfile"]["type"])
        for key in ("hostNetwork", "hostPID", "hostIPC", "shareProcessNamespace"):
            self.assertFalse(self.pod.get(key))
        for name, container in self.containers.items():
            with self.subTest(name):
                own = container["securityContext"]
                self.assertIs(False, own["allowPrivilegeEscalation"])
                self.assertIs(True, own["readOnlyRootFilesystem"])
                self.assertEqual({"drop": ["ALL"]}, own["capabilities"])
                self.assertFalse(own.get("privileged"))
                self.assertTrue({"cpu", "memory"} <= set(container["resources"]["requests"]))
                self.assertIn("memory", container["resources"]["limits"])

    def test_the_configuration_is_mounted_read_only_as_a_folder(self):
        mount = {mount["name"]: mount for mount in self.gatehouse["volumeMounts"]}["config"]
        self.assertTrue(mount["readOnly"])
        self.assertNotIn("subPath", mount, "a subPath never sees an update")
        volume = {volume["name"]: volume for volume in self.pod["volumes"]}["config"]
        self.assertEqual("users-gatehouse", volume["configMap"]["name"])
        self.assertEqual(["serve", "-c", mount["mountPath"] + "/gatehouse.json", "--watch"], self.gatehouse["args"])

    def test_nobody_reaches_the_application_but_through_the_gate(self):
        uris = {route["integration"]["uri"] for route in settings()["apis"][0]["routes"]}
        listens = re.search(r"listen (\S+);", of_kind("ConfigMap", "users-application")["data"]["default.conf"]).group(1)
        self.assertTrue(listens.startswith("127.0.0.1:"))
        for uri in uris:
            self.assertTrue(uri.startswith(f"http://{listens}/"), uri)
        self.assertNotIn("ports", self.containers["application"])
        [port] = of_kind("Service")["spec"]["ports"]
        self.assertEqual([port["targetPort"]], [port["name"] for port in self.gatehouse["ports"]])
        self.assertNotIn("admin", settings())  # loopback by default
        for route in settings()["apis"][0]["routes"]:
            self.assertNotEqual("NONE", route["authorizer"])

    def test_there_is_time_to_drain(self):
        delay = settings()["timeouts"]["drainDelayInMillis"] / 1000
        drain = settings()["timeouts"]["drainInMillis"] / 1000
        outlives = self.containers["application"]["lifecycle"]["preStop"]["sleep"]["seconds"]
        grace = self.pod["terminationGracePeriodSeconds"]
        self.assertGreater(delay, 0)
        self.assertGreater(outlives, delay + drain)
        self.assertGreater(grace, outlives)

    def test_what_is_kept_fits_the_memory(self):
        limit = self.gatehouse["resources"]["limits"]["memory"]
        self.assertTrue(limit.endswith("Mi"))
        kept = settings()["limits"]["bufferedBytes"] + settings()["limits"]["cacheBytes"]
        self.assertLess(kept, int(limit[:-2]) * (1 << 20) / 2)

    def test_labels_select(self):
        deployment = of_kind("Deployment")["spec"]
        labels = deployment["template"]["metadata"]["labels"]
        for selector in (deployment["selector"]["matchLabels"], of_kind("Service")["spec"]["selector"]):
            self.assertTrue(selector.items() <= labels.items())

    def test_probes_have_more_time_than_the_call_takes(self):
        for probe in ("readinessProbe", "livenessProbe"):
            self.assertGreater(self.gatehouse[probe]["timeoutSeconds"], 2.5)


class Probes(GatewayCase):
    """The very commands, against a gateway whose issuer comes late."""

    def probe(self, name, gateway):
        [program, *arguments] = {c["name"]: c for c in of_kind("Deployment")["spec"]["template"]["spec"]["containers"]}[
            "gatehouse"
        ][name]["exec"]["command"]
        self.assertEqual(PROGRAM, program)
        return command(*arguments, env={"GATEHOUSE_ADMIN": gateway.admin_url}).status

    def test_an_issuer_that_is_away_costs_readiness_and_not_life(self):
        issuer = self.using(Issuer(ec_key(), listening=False))
        jwt = {"issuer": issuer.issuer, "jwksUri": issuer.jwks_uri, "algorithms": ["ES256"], "jwks": {"cooldownInSeconds": 1}}
        gateway = self.start(config(api([mock("GET /x", "jwt")], authorizers={"jwt": jwt_authorizer(jwt)})), ready=False)
        self.assertEqual(1, self.probe("readinessProbe", gateway))
        self.assertEqual(0, self.probe("livenessProbe", gateway))
        issuer.up()
        gateway.wait_ready()
        self.assertEqual(0, self.probe("readinessProbe", gateway))
        self.assertEqual(0, self.probe("livenessProbe", gateway))

    def test_a_process_that_does_not_answer_is_not_alive(self):
        gateway = self.start(config(api([mock("GET /x")], authorizers={})))
        self.assertEqual(0, self.probe("livenessProbe", gateway))
        gateway.process.stop()
        for name in ("readinessProbe", "livenessProbe"):
            self.assertEqual(1, self.probe(name, gateway))
        with socket.create_server(("127.0.0.1", 0)) as silent:  # one that takes connections and says nothing
            gateway.admin_address = silent.getsockname()
            for name in ("readinessProbe", "livenessProbe"):
                self.assertEqual(1, self.probe(name, gateway))


if __name__ == "__main__":
    unittest.main()
