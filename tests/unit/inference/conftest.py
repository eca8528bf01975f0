import pytest

import khabar
from unit.inference import tiny_bundle


@pytest.fixture(scope="session")
def bundle_folder(tmp_path_factory):
    return tiny_bundle.write(tmp_path_factory.mktemp("bundle") / "bundle")


@pytest.fixture(scope="session")
def model(bundle_folder):
    return khabar.load(str(bundle_folder))
