import Base

#if canImport(Glibc)
    import Glibc
#endif

/// CPU time and memory of a process, as Linux's `/proc` tells them (proc_pid_stat(5), proc_pid_status(5)).
struct ServerMeter: Sendable {
    struct Reading: Sendable, Equatable {
        var userSeconds: Double
        var kernelSeconds: Double
        var resident: ByteCount
        /// The largest that it ever was.
        var peak: ByteCount
    }

    private let pid: Int32

    /// Nil where there is no such process.
    init?(pid: Int32) {
        self.pid = pid
        if read() == nil { return nil }
    }

    /// Nil once the process has ended.
    func read() -> Reading? {
        let ticks = Double(sysconf(CInt(_SC_CLK_TCK)))
        guard let stat = Self.text("/proc/\(pid)/stat"), let status = Self.text("/proc/\(pid)/status") else {
            return nil
        }
        return Self.reading(stat: stat, status: status, ticksPerSecond: ticks)
    }

    static func reading(stat: String, status: String, ticksPerSecond: Double) -> Reading? {
        // The name in parentheses may hold anything, parentheses and spaces too: count from the last one on.
        guard let end = stat.lastIndex(of: ")") else { return nil }
        let fields = stat[stat.index(after: end)...].split(separator: " ")
        guard fields.count > 12, let user = Double(fields[11]), let kernel = Double(fields[12]) else { return nil }
        func kibibytes(_ name: String) -> ByteCount {
            let line = status.split(separator: "\n").first { $0.hasPrefix(name + ":") }
            return .kib(line.flatMap { Int($0.filter(\.isNumber)) } ?? 0)
        }
        return Reading(
            userSeconds: user / ticksPerSecond, kernelSeconds: kernel / ticksPerSecond, resident: kibibytes("VmRSS"),
            peak: kibibytes("VmHWM"))
    }

    private static func text(_ path: String) -> String? {
        guard let file = fopen(path, "r") else { return nil }
        defer { fclose(file) }
        let bytes = [UInt8](unsafeUninitializedCapacity: 16_384) { $1 = fread($0.baseAddress, 1, 16_384, file) }
        return bytes.isEmpty ? nil : String(decoding: bytes, as: UTF8.self)
    }
}
