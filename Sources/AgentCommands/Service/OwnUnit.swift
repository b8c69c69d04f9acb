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
        guard environment["JOURNAL_STREAM"] != nil,
            let bytes = (try? fileSystem.contents(of: "/proc/self/cgroup", bytesMax: .kib(64))) ?? nil
        else { return nil }
        return name(cgroups: String(decoding: bytes, as: UTF8.self))
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
