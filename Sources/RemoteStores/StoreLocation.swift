public import Base
public import Exports
public import SystemPackage

#if canImport(Glibc)
    import Glibc
#endif

/// Where an export's root is, as `root` names it.
public enum StoreLocation: Sendable, Hashable, CustomStringConvertible {
    case local(FilePath)
    case webHDFS(WebHDFSSettings)
    case s3(S3Settings)

    /// What is wrong with a root, and what it should look like.
    public struct Problem: Error, CustomStringConvertible {
        public let description: String
    }

    /// Reads `/srv/export`, `file:///srv/export`, `hdfs://nn1:9870,nn2:9870/logs` (WebHDFS's port) or `swebhdfs://…` (the same by TLS); a user
    /// may stand before the host, as in `hdfs://etl@nn:9870/logs`. `s3://bucket/folder` (or `s3a://…`) takes keys, region and endpoint from the
    /// environment, as AWS's own tools do.
    public init(
        _ text: String, user: String, environment: (String) -> String? = S3Settings.processEnvironment
    ) throws(Problem) {
        for scheme in ["s3://", "s3a://"] where text.hasPrefix(scheme) {
            self = .s3(try Self.s3(text.dropFirst(scheme.utf8.count), environment))
            return
        }
        for (scheme, usesTLS) in [("hdfs://", false), ("webhdfs://", false), ("swebhdfs://", true)]
        where text.hasPrefix(scheme) {
            self = .webHDFS(try Self.webHDFS(text.dropFirst(scheme.utf8.count), usesTLS: usesTLS, user: user))
            return
        }
        let path = text.hasPrefix("file://") ? String(text.dropFirst("file://".utf8.count)) : text
        guard path.hasPrefix("/") else {
            throw Problem(
                description:
                    "'\(text)' is no root: an absolute folder (/srv/export), hdfs://host:9870/folder or s3://bucket/folder is"
            )
        }
        self = .local(FilePath(path))
    }

    private static func webHDFS(_ rest: Substring, usesTLS: Bool, user: String) throws(Problem) -> WebHDFSSettings {
        var authority = rest.prefix { $0 != "/" }
        var path = String(rest.dropFirst(authority.count))
        while path.hasSuffix("/") { path.removeLast() }
        var user = user
        if let at = authority.lastIndex(of: "@") {
            user = String(authority[..<at])
            authority = authority[authority.index(after: at)...]
        }
        let nameNodes = authority.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        for nameNode in nameNodes {
            let parts = nameNode.split(separator: ":", omittingEmptySubsequences: false)
            guard parts.count == 2, !parts[0].isEmpty, let port = UInt16(parts[1]), port > 0 else {
                throw Problem(
                    description:
                        "'\(nameNode)' is no name node: host:port is wanted, with the port of its HTTP interface "
                        + "(9870, or 50070 before Hadoop 3)")
            }
        }
        guard !path.isEmpty, !path.split(separator: "/").contains(where: { $0 == ".." || $0 == "." }) else {
            throw Problem(description: "an export's root in HDFS is a folder below /, such as hdfs://host:9870/logs")
        }
        var settings = WebHDFSSettings(nameNodes: nameNodes, path: path, user: user)
        settings.usesTLS = usesTLS
        return settings
    }

    private static func s3(_ rest: Substring, _ environment: (String) -> String?) throws(Problem) -> S3Settings {
        let bucket = String(rest.prefix { $0 != "/" })
        // https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
        let isName =
            3...63 ~= bucket.utf8.count
            && bucket.utf8.allSatisfy { byte in
                (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
                    || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                    || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".")
            }
        guard isName else {
            throw Problem(
                description:
                    "'\(bucket)' is no bucket: 3 to 63 small letters, digits, '-' and '.', as in s3://logs/export")
        }
        let folders = rest.dropFirst(bucket.utf8.count).split(separator: "/")
        guard !folders.contains(where: { $0 == ".." || $0 == "." }) else {
            throw Problem(
                description: "an export's root in S3 is s3://bucket or a folder in it, such as s3://logs/export")
        }
        return S3Settings(
            bucket: bucket, prefix: folders.map { $0 + "/" }.joined(), environment: environment)
    }

    /// Who writes where nobody is named: as Hadoop's own tools take it, else the name of this account.
    public static var defaultUser: String {
        if let name = getenv("HADOOP_USER_NAME") { return String(cString: name) }
        if let entry = getpwuid(geteuid()) { return String(cString: entry.pointee.pw_name) }
        return "millrace"
    }

    /// The store; nothing is asked of it yet.
    public func open(fileSystem: any FileSystem = PosixFileSystem()) -> any AuditedStore {
        switch self {
        case .local(let root): LocalStore(root: root, fileSystem: fileSystem)
        case .webHDFS(let settings): WebHDFSStore(settings, fileSystem: fileSystem)
        case .s3(let settings): S3Store(settings, fileSystem: fileSystem)
        }
    }

    /// As engines of the same cluster find it: its own default file system, whose port is not WebHDFS's.
    public var sqlRoot: String {
        switch self {
        case .local(let root): root.string
        case .webHDFS(let settings): "hdfs://\(settings.path)"
        case .s3: description
        }
    }

    /// The same for engines that read by HTTP; nil where there is no such way.
    public var httpRoot: String? { if case .s3(let settings) = self { settings.httpRoot } else { nil } }

    /// For messages: no secrets.
    public var description: String {
        switch self {
        case .local(let root): root.string
        case .webHDFS(let settings):
            "\(settings.usesTLS ? "swebhdfs" : "hdfs")://\(settings.nameNodes.joined(separator: ","))\(settings.path)"
        case .s3(let settings):
            "s3://\(settings.bucket)\(settings.prefix.isEmpty ? "" : "/\(settings.prefix.dropLast())")"
        }
    }
}
