# SPDX-License-Identifier: (Apache-2.0 OR MIT)

from spack.package import *


class PyEagleray(PythonPackage):
    """X-ray spectral timing on any GPU: power and cross spectra, lags and pulsations from event files, exact and fast."""

    # RELEASE: homepage, url, and the checksum of the archive of the sources; until then `spack develop --path TREE py-eagleray@main`.
    version("main")

    license("MIT OR Apache-2.0")

    build_directory = "crates/python"

    depends_on("python@3.11:", type=("build", "run"))
    depends_on("py-maturin@1.9:1", type="build")
    depends_on("rust@1.95:", type="build")
    depends_on("c", type="build")
    depends_on("py-numpy@1.25:", type=("build", "run"))

    variant("stingray", default=False, description="With the peer whose functions it can answer")
    depends_on("py-stingray@2.3.2", type="run", when="+stingray")

    variant("programs", default=True, description="With the programs eagleray and gpu-bench")

    @run_after("install", when="+programs")
    def install_programs(self):
        cargo = which("cargo", required=True)
        cargo("install", "--locked", "--no-track", "--path", "crates/cli", "--root", self.prefix)
