import Base
import RemoteStores
import Settings
import SystemPackage

extension ExportSinkSettings {
    /// Reads `root`, and for one in HDFS `hdfs`. Its keys: `user`, `token`, `hosts`, `ca`, `spool`, `timeout`.
    static func root(_ mapping: inout SettingsMapping) throws(SettingsError) -> StoreLocation {
        let node = try mapping.required("root")
        var location: StoreLocation
        let text = try node.string()
        do throws(StoreLocation.Problem) { location = try StoreLocation(text, user: StoreLocation.defaultUser) } catch {
            throw SettingsError(error.description, at: node.place)
        }
        guard case .webHDFS(var hdfs) = location else { return location }
        if var details = try mapping.mapping("hdfs") {
            hdfs.user = try details.string("user") ?? hdfs.user
            hdfs.token = try details.string("token")
            hdfs.transport.certificateAuthority = try details.string("ca")
            hdfs.transport.idleTimeout = try details.duration(
                "timeout", default: hdfs.transport.idleTimeout, in: .seconds(1)...(.seconds(3600)))
            if let spool = details.node("spool") {
                guard try spool.string().hasPrefix("/") else { throw spool.expected("an absolute folder") }
                hdfs.spool = FilePath(try spool.string())
            }
            if var hosts = try details.mapping("hosts") {
                for name in hosts.chosenNames() { hdfs.hosts[name] = try hosts.required(name).string() }
                try hosts.finish()
            }
            try details.finish()
        }
        location = .webHDFS(hdfs)
        return location
    }
}
