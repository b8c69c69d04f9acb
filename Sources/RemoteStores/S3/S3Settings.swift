public import Base
public import SystemPackage

#if canImport(Glibc)
    import Glibc
#endif

/// A bucket of Amazon S3, or of a store that speaks the same.
public struct S3Settings: Sendable, Hashable {
    /// Where a bucket's name stands in a URL.
    public enum Style: String, Sendable, Hashable, CaseIterable {
        /// `https://bucket.s3.eu-central-1.amazonaws.com/key`
        case virtual
        /// `https://s3.eu-central-1.amazonaws.com/bucket/key`
        case path
    }

    public struct Credentials: Sendable, Hashable {
        public var accessKey: String
        public var secretKey: String
        /// What comes with keys that were lent for a while.
        public var sessionToken: String?

        public init(accessKey: String, secretKey: String, sessionToken: String? = nil) {
            self.accessKey = accessKey
            self.secretKey = secretKey
            self.sessionToken = sessionToken
        }
    }

    public var bucket: String
    /// What every key begins with: empty, or a folder that ends with `/`.
    public var prefix: String
    public var region: String
    /// `https://host:port` of a store that isn't Amazon's; nil for Amazon's.
    public var endpoint: String?
    /// Nil: `virtual` at Amazon, `path` at an endpoint.
    public var style: Style?
    /// Nil sends requests unsigned.
    public var credentials: Credentials?
    /// A file of keys that others renew, in place of `credentials`; and which of its sections.
    public var credentialsFile: FilePath?
    public var profile = "default"
    /// Where files wait until they are uploaded.
    public var spool: FilePath = "/var/tmp"
    /// A file is uploaded in parts of this size; larger ones where it would take more than `partsMax` of them.
    public var partBytes = ByteCount.mib(8)
    public var transport = ClientTransport.Settings()
    /// How often a request is sent that is not answered or answered with a passing trouble, before the attempt ends.
    public var triesMax = 6

    /// Of one upload: S3's own limit.
    public static let partsMax = 10_000

    public init(bucket: String, prefix: String = "", region: String = "us-east-1") {
        self.bucket = bucket
        self.prefix = prefix
        self.region = region
    }

    /// Takes from the environment what AWS's own tools take: keys, session token, region, endpoint.
    public init(bucket: String, prefix: String, environment: (String) -> String?) {
        self.init(bucket: bucket, prefix: prefix)
        region = environment("AWS_REGION") ?? environment("AWS_DEFAULT_REGION") ?? region
        endpoint = environment("AWS_ENDPOINT_URL_S3") ?? environment("AWS_ENDPOINT_URL")
        if let accessKey = environment("AWS_ACCESS_KEY_ID"), let secretKey = environment("AWS_SECRET_ACCESS_KEY") {
            credentials = Credentials(
                accessKey: accessKey, secretKey: secretKey, sessionToken: environment("AWS_SESSION_TOKEN"))
        } else if let file = environment("AWS_SHARED_CREDENTIALS_FILE") {
            credentialsFile = FilePath(file)
            profile = environment("AWS_PROFILE") ?? profile
        }
    }

    /// `https://host/bucket/prefix`, for readers that take no `s3://`.
    public var httpRoot: String {
        let (scheme, host, path) = address
        return "\(scheme)://\(host)\(path)\(prefix)".trimmingSlash
    }

    /// A variable of the process; one that is empty is none.
    public static func processEnvironment(_ name: String) -> String? {
        getenv(name).map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }
    }

    /// True where requests are signed.
    var hasKeys: Bool { credentials != nil || credentialsFile != nil }

    /// Scheme and authority of the bucket, and the path before a key.
    var address: (scheme: String, host: String, path: String) {
        let endpoint = endpoint ?? "https://s3.\(region).amazonaws.com"
        let isTLS = endpoint.hasPrefix("https://")
        let scheme = isTLS ? "https" : "http"
        var host = String(endpoint.dropFirst(scheme.utf8.count + 3).prefix { $0 != "/" })
        // The header `Host` has no port where it is the scheme's own.
        for usual in [isTLS ? ":443" : ":80"] where host.hasSuffix(usual) { host.removeLast(usual.utf8.count) }
        switch style ?? (self.endpoint == nil ? .virtual : .path) {
        case .virtual: return (scheme, "\(bucket).\(host)", "/")
        case .path: return (scheme, host, "/\(bucket)/")
        }
    }
}

extension String {
    fileprivate var trimmingSlash: String { hasSuffix("/") ? String(dropLast()) : self }
}
