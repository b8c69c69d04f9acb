import Base
import SystemPackage

/// The folder that an agent keeps its state in, locked against a second agent, and what the host is called in it.
///
/// ```
/// lock                  held while an agent runs
/// intents.checkpoint    see IntentCheckpoint
/// intents-N.ring        see IntentLog
/// ```
public final class StateDirectory {
    public let path: FilePath
    private let lock: any FileLock

    /// Makes the folder where it is missing, and locks it.
    ///
    /// - Throws: `.locked` where another process holds it.
    public init(_ path: FilePath, in fileSystem: any FileSystem) throws(FileError) {
        self.path = path
        try fileSystem.createDirectory(path)
        lock = try fileSystem.lock(path.appending("lock"))
    }

    public func release() { lock.release() }

    /// What `/etc/machine-id` says (machine-id(5)): 32 hex digits that a clone of the machine gets anew. Empty where there is none; the
    /// state is then bound to the cluster alone.
    public static func machineID(in fileSystem: any FileSystem) -> String {
        for path: FilePath in ["/etc/machine-id", "/var/lib/dbus/machine-id"] {
            guard let bytes = (try? fileSystem.contents(of: path, bytesMax: .kib(1))) ?? nil else { continue }
            let text = bytes.prefix { $0 != 0x0a }
            if text.count == 32, text.allSatisfy({ (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }) {
                return String(decoding: text, as: UTF8.self)
            }
        }
        return ""
    }
}
