import Base
public import SystemPackage

/// An HDFS that is reached by its WebHDFS interface (or by an HttpFS gateway, which speaks the same).
public struct WebHDFSSettings: Sendable, Hashable {
    /// `host:port` of the HTTP interface (9870 since Hadoop 3, 50070 before); several where the name nodes are a pair: the active one
    /// is found.
    public var nameNodes: [String]
    /// The folder of the export's root, beginning with `/`.
    public var path: String
    public var usesTLS = false
    /// Who writes, where the cluster believes it.
    public var user: String
    /// A delegation token, where the cluster wants one; it stands for the user.
    public var token: String?
    /// Where a data node is reached instead of the name that the name node gives: name to host or `host:port`.
    public var hosts: [String: String] = [:]
    /// Where files wait until they are uploaded.
    public var spool: FilePath = "/var/tmp"
    public var transport = ClientTransport.Settings()
    /// How often a request is sent that is not answered or answered with a passing trouble, before the attempt ends.
    public var triesMax = 6

    public init(nameNodes: [String], path: String, user: String) {
        self.nameNodes = nameNodes
        self.path = path
        self.user = user
    }
}
