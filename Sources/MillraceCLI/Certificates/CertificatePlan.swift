/// What `millrace tls init` has OpenSSL do: a CA where there is none, and a certificate for each host. Pure, so that a test can read it.
public struct CertificatePlan: Sendable, Equatable {
    /// One run of `openssl`, and what it makes.
    public struct Step: Sendable, Equatable {
        public var arguments: [String]
        /// Keys are for their owner alone.
        public var makes: [String]
    }

    /// A host, and every name and address under which it is connected to. The first names its files.
    public struct Host: Sendable, Equatable {
        public var names: [String]

        /// Reads `agg.example,10.0.0.5`. Nil where a name is none: letters, digits, `.`, `-`, `_`, `:` and `*`.
        public init?(_ text: String) {
            names = text.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
            let isFine = names.allSatisfy { name in
                !name.isEmpty && !name.hasPrefix("-") && !name.hasPrefix(".")
                    && name.utf8.allSatisfy { byte in
                        (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte)
                            || ".-_:*".utf8.contains(byte)
                    }
            }
            guard isFine, names[0] != "ca" else { return nil }
        }

        var fileName: String { names[0].map { $0 == "*" ? "_" : String($0) }.joined() }

        /// As a certificate holds them.
        var alternativeNames: String {
            names.map { name in
                let isAddress = name.contains(":") || name.utf8.allSatisfy { $0 == 0x2e || (0x30...0x39).contains($0) }
                return isAddress ? "IP:\(name)" : "DNS:\(name)"
            }.joined(separator: ",")
        }
    }

    public var steps: [Step]
    /// Intermediate files, which go when all is done.
    public var leftovers: [String]

    /// - Parameters:
    ///   - exists: what stands in the folder already; a certificate that does is left alone, unless it is renewed. The CA is never made anew.
    public init(hosts: [Host], days: Int, renews: Bool, exists: (_ file: String) -> Bool) {
        let curve = ["ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
        steps = []
        leftovers = []
        if !exists("ca.pem") {
            steps.append(
                Step(
                    arguments: ["req", "-x509", "-newkey"] + curve + [
                        "-days", "3650", "-subj", "/O=Millrace/CN=Millrace CA", "-keyout", "ca.key", "-out", "ca.pem",
                        "-addext", "basicConstraints=critical,CA:TRUE,pathlen:0", "-addext",
                        "keyUsage=critical,keyCertSign,cRLSign",
                    ], makes: ["ca.key", "ca.pem"]))
        }
        for host in hosts {
            let (name, request) = (host.fileName, "\(host.fileName).csr")
            guard renews || !exists("\(name).pem") else { continue }
            steps.append(
                Step(
                    arguments: ["req", "-new", "-newkey"] + curve + [
                        "-subj", "/O=Millrace/CN=\(host.names[0])", "-keyout", "\(name).key.new", "-out", request,
                        "-addext", "subjectAltName=\(host.alternativeNames)", "-addext",
                        "keyUsage=critical,digitalSignature", "-addext", "extendedKeyUsage=serverAuth,clientAuth",
                    ], makes: ["\(name).key.new"]))
            steps.append(
                Step(
                    arguments: [
                        "x509", "-req", "-in", request, "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days",
                        "\(days)", "-copy_extensions", "copy", "-out", "\(name).pem.new",
                    ], makes: ["\(name).pem.new"]))
            leftovers.append(request)
        }
        if !leftovers.isEmpty { leftovers.append("ca.srl") }
    }
}
