"""The API's Python stubs, generated into a temporary folder when this is first imported, and the words of the API."""

import atexit
import importlib
import importlib.resources
import pathlib
import shutil
import sys
import tempfile

import grpc_tools.protoc

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]


def _generate() -> pathlib.Path:
    protos = REPOSITORY / "protos"
    output = tempfile.mkdtemp(prefix="credcache-stubs-")
    atexit.register(shutil.rmtree, output, ignore_errors=True)
    # google/protobuf from grpc_tools, google/rpc from the repository: Python has both as packages already.
    well_known = importlib.resources.files("grpc_tools") / "_proto"
    packages = (protos / "credcache" / "v1", protos / "credcache" / "validator" / "v1")
    files = sorted(str(path.relative_to(protos)) for package in packages for path in package.glob("*.proto"))
    arguments = ["protoc", f"-I{protos}", f"-I{well_known}", f"--python_out={output}", f"--grpc_python_out={output}"]
    if grpc_tools.protoc.main([*arguments, *files]) != 0:
        raise RuntimeError("protoc failed")
    sys.path.insert(0, output)
    return pathlib.Path(output)


# Where they are, for programs that tests start.
FOLDER = _generate()

authenticate_pb2 = importlib.import_module("credcache.v1.authenticate_pb2")
delegate_pb2 = importlib.import_module("credcache.v1.delegate_pb2")
invalidate_pb2 = importlib.import_module("credcache.v1.invalidate_pb2")
negotiate_pb2 = importlib.import_module("credcache.v1.negotiate_pb2")
stats_pb2 = importlib.import_module("credcache.v1.stats_pb2")
auth_service_pb2_grpc = importlib.import_module("credcache.v1.auth_service_pb2_grpc")

ACCEPTED = authenticate_pb2.OUTCOME_ACCEPTED
REJECTED = authenticate_pb2.OUTCOME_REJECTED
THROTTLED = authenticate_pb2.OUTCOME_THROTTLED
ACCOUNT_DISABLED = authenticate_pb2.OUTCOME_ACCOUNT_DISABLED
PASSWORD_EXPIRED = authenticate_pb2.OUTCOME_PASSWORD_EXPIRED

NO_SOURCE = authenticate_pb2.SOURCE_UNSPECIFIED
CACHE = authenticate_pb2.SOURCE_CACHE
BACKEND = authenticate_pb2.SOURCE_BACKEND
COALESCED = authenticate_pb2.SOURCE_COALESCED
STALE = authenticate_pb2.SOURCE_STALE
