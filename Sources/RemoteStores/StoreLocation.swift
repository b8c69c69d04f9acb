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

    /// What is wrong with a root, and what it should look like.
    public struct Problem: Error, CustomStringConvertible {
        public let description: String
    }

    /// Reads `/srv/export`, `file:///srv/export`, `hdfs://nn1:9870,nn2:9870/logs` (WebHDFS's port) or `swebhdfs://…` (the same by TLS); a user
    /// may stand before the host, as in `hdfs://etl@nn:9870/logs`.
    public init(_ text: String, user: String) throws(Problem) {
        for (scheme, usesTLS) in [("hdfs://", false), ("webhdfs://", false), ("swebhdfs://", true)]
        where text.hasPrefix(scheme) {
            self = .webHDFS(try Self.webHDFS(text.dropFirst(scheme.utf8.count), usesTLS: usesTLS, user: user))
            return
        }
        let path = text.hasPrefix("file://") ? String(text.dropFirst("file://".utf8.count)) : text
        guard path.hasPrefix("/") else {
            throw Problem(
                description: "'\(text)' is no root: an absolute folder (/srv/export) or hdfs://host:9870/folder is "
                    + "(s3:// is not served yet)")
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
        }
    }

    /// As engines of the same cluster find it: its own default file system, whose port is not WebHDFS's.
    public var sqlRoot: String {
        switch self {
        case .local(let root): root.string
        case .webHDFS(let settings): "hdfs://\(settings.path)"
        }
    }

    /// For messages: no secrets.
    public var description: String {
        switch self {
        case .local(let root): root.string
        case .webHDFS(let settings):
            "\(settings.usesTLS ? "swebhdfs" : "hdfs")://\(settings.nameNodes.joined(separator: ","))\(settings.path)"
        }
    }
}
