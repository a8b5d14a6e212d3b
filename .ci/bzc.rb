class Bzc < Formula
  desc "Compiler for small K3s machines: config, manifests and a proof that all fits"
  homepage "@URL@"
  version "@VERSION@"
  license any_of: ["MIT", "Apache-2.0"]

  on_linux do
    on_intel do
      url "@URL@/bzc-@VERSION@-x86_64-unknown-linux-gnu.tar.gz"
      sha256 "@X64@"
    end
    on_arm do
      url "@URL@/bzc-@VERSION@-aarch64-unknown-linux-gnu.tar.gz"
      sha256 "@ARM64@"
    end
  end

  def install
    bin.install "bzc"
    man1.install Dir["man/*.1"]
    bash_completion.install "completions/bzc.bash" => "bzc"
    zsh_completion.install "completions/bzc.zsh" => "_bzc"
    fish_completion.install "completions/bzc.fish"
  end

  test do
    system bin/"bzc", "init"
    system bin/"bzc", "check"
  end
end
