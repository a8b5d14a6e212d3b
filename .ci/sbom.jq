# What `cargo metadata` says to a CycloneDX SBOM: every crate that is linked in or built with, nothing of tests.
# $sums has a line for each crate of Cargo.lock: name, version, checksum.
($sums | split("\n") | map(split(" ") | {key: "\(.[0]) \(.[1])", value: .[2]}) | from_entries) as $checksums
| .resolve as $resolve
| ($resolve.nodes | map({key: .id, value: [.deps[] | select(any(.dep_kinds[]; .kind != "dev")) | .pkg]}) | from_entries) as $needs
| def reached($seen; $next):
    if $next == [] then $seen
    else ($seen + $next | unique) as $all | reached($all; ([$next[] | $needs[.][]] | unique) - $all) end;
  reached([]; [$resolve.root]) as $linked
| def purl: "pkg:cargo/\(.name)@\(.version)";
  def component:
    {type: (if .id == $resolve.root then "application" else "library" end), "bom-ref": purl, name, version, purl: purl}
    + (if .license then {licenses: [{expression: (.license | gsub("/"; " OR "))}]} else {} end)
    + ($checksums["\(.name) \(.version)"] // null | if . then {hashes: [{alg: "SHA-256", content: .}]} else {} end);
  (.packages | map({key: .id, value: .}) | from_entries) as $packages
| {
    bomFormat: "CycloneDX",
    specVersion: "1.5",
    version: 1,
    metadata: {component: ($packages[$resolve.root] | component)},
    components: [$linked[] | select(. != $resolve.root) | $packages[.] | component] | sort_by(.purl),
    dependencies: [$linked[] | {ref: ($packages[.] | purl), dependsOn: ([$needs[.][] | $packages[.] | purl] | unique)}] | sort_by(.ref)
  }
