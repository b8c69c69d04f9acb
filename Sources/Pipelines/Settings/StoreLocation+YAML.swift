import Base
import RemoteStores
import Settings
import SystemPackage

extension ExportSinkSettings {
    /// Reads `root`, and for one in HDFS `hdfs`, for one in S3 `s3`. Keys of `hdfs`: `user`, `token`, `hosts`, `ca`, `spool`, `timeout`; of `s3`:
    /// `endpoint`, `region`, `style`, `access_key`, `secret_key`, `session_token`, `keys_file`, `profile`, `ca`, `spool`, `timeout`, `part_size`.
    static func root(_ mapping: inout SettingsMapping) throws(SettingsError) -> StoreLocation {
        let node = try mapping.required("root")
        var location: StoreLocation
        let text = try node.string()
        do throws(StoreLocation.Problem) { location = try StoreLocation(text, user: StoreLocation.defaultUser) } catch {
            throw SettingsError(error.description, at: node.place)
        }
        switch location {
        case .local: break
        case .webHDFS(let settings): location = .webHDFS(try hdfs(settings, &mapping))
        case .s3(let settings): location = .s3(try s3(settings, &mapping))
        }
        return location
    }

    private static func hdfs(
        _ settings: WebHDFSSettings, _ mapping: inout SettingsMapping
    ) throws(SettingsError) -> WebHDFSSettings {
        var hdfs = settings
        if var details = try mapping.mapping("hdfs") {
            hdfs.user = try details.string("user") ?? hdfs.user
            hdfs.token = try details.string("token")
            try transport(&hdfs.transport, &details)
            hdfs.spool = try spool(&details) ?? hdfs.spool
            if var hosts = try details.mapping("hosts") {
                for name in hosts.chosenNames() { hdfs.hosts[name] = try hosts.required(name).string() }
                try hosts.finish()
            }
            try details.finish()
        }
        return hdfs
    }

    private static func s3(_ settings: S3Settings, _ mapping: inout SettingsMapping) throws(SettingsError) -> S3Settings
    {
        guard var details = try mapping.mapping("s3") else { return settings }
        var s3 = settings
        s3.region = try details.string("region") ?? s3.region
        if let node = details.node("endpoint") {
            let text = try node.string()
            let rest =
                text.hasPrefix("https://") ? text.dropFirst(8) : text.hasPrefix("http://") ? text.dropFirst(7) : ""
            guard !rest.isEmpty, !rest.contains("/") else {
                throw node.expected("https://host or https://host:port (http:// without TLS), without a path")
            }
            s3.endpoint = text
        }
        s3.style = try details.node("style")?.choice(S3Settings.Style.self) ?? s3.style
        let accessKey = details.node("access_key")
        let secretKey = details.node("secret_key")
        let token = try details.string("session_token")
        if let node = details.node("keys_file") {
            guard try node.string().hasPrefix("/") else { throw node.expected("an absolute file of keys") }
            guard accessKey == nil, secretKey == nil, token == nil else {
                throw SettingsError("either 'keys_file' or the keys themselves", at: node.place)
            }
            s3.credentialsFile = FilePath(try node.string())
        }
        s3.profile = try details.string("profile", default: s3.profile)
        switch (accessKey, secretKey) {
        case (let accessKey?, let secretKey?):
            s3.credentials = S3Settings.Credentials(
                accessKey: try accessKey.string(), secretKey: try secretKey.string(), sessionToken: token)
        case (nil, nil):
            if let token { s3.credentials?.sessionToken = token }
        case (let node?, nil), (nil, let node?):
            throw SettingsError("'access_key' and 'secret_key' are given together", at: node.place)
        }
        try transport(&s3.transport, &details)
        s3.spool = try spool(&details) ?? s3.spool
        s3.partBytes = try details.bytes("part_size", default: s3.partBytes, in: .mib(5)...ByteCount.gib(1))
        try details.finish()
        return s3
    }

    private static func transport(
        _ transport: inout ClientTransport.Settings, _ details: inout SettingsMapping
    ) throws(SettingsError) {
        transport.certificateAuthority = try details.string("ca")
        transport.idleTimeout = try details.duration(
            "timeout", default: transport.idleTimeout, in: .seconds(1)...(.seconds(3600)))
    }

    private static func spool(_ details: inout SettingsMapping) throws(SettingsError) -> FilePath? {
        guard let spool = details.node("spool") else { return nil }
        guard try spool.string().hasPrefix("/") else { throw spool.expected("an absolute folder") }
        return FilePath(try spool.string())
    }
}
