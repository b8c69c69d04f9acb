import Base
import SystemPackage

/// The systemd unit that this process runs in.
public enum OwnUnit {
    /// `millrace-agent.service`; nil where the process was not started by a service manager that keeps its output in the journal.
    ///
    /// Source: systemd.exec(5), `JOURNAL_STREAM`; cgroups(7), `/proc/PID/cgroup`.
    public static func name(
        environment: [String: String] = processEnvironment(), fileSystem: any FileSystem = PosixFileSystem()
    ) -> String? {
        guard environment["JOURNAL_STREAM"] != nil, let cgroups = cgroups(fileSystem) else { return nil }
        return name(cgroups: cgroups)
    }

    /// The kernel gives such files no size: what is read says how long they are.
    static func cgroups(_ fileSystem: any FileSystem) -> String? {
        guard let file = try? fileSystem.open("/proc/self/cgroup", .read) else { return nil }
        defer { file.close() }
        var bytes = [UInt8](repeating: 0, count: 64 << 10)
        guard let count = try? bytes.withUnsafeMutableBytes({ try file.read(into: $0, at: 0) }) else { return nil }
        return String(decoding: bytes.prefix(count), as: UTF8.self)
    }

    static func name(cgroups: String) -> String? {
        for line in cgroups.split(separator: "\n") where line.hasPrefix("0::") || line.contains(":name=systemd:") {
            let parts = line.split(separator: "/").map(String.init)
            // The innermost: a container's cgroup stands inside another unit's.
            if let unit = parts.last(where: { $0.hasSuffix(".service") }) { return unit }
        }
        return nil
    }
}
