import Base
import SystemPackage

#if canImport(Glibc)
    import Glibc
#endif

/// Does what an `InstallPlan` says. Each file is written beside its place and renamed, so that what runs meanwhile is never half a file.
struct InstallRunner {
    let fileSystem = PosixFileSystem()

    func run(_ step: InstallPlan.Step) throws {
        switch step {
        case .keep: break
        case .program(let path): try write(Self.ownProgram(), to: path, mode: 0o755)
        case .file(let path, let contents): try write(Array(contents.utf8), to: path, mode: 0o644)
        case .command(let words): try Self.spawn(words)
        }
    }

    private func write(_ bytes: [UInt8], to path: String, mode: mode_t) throws {
        let target = FilePath(path)
        let folder = target.removingLastComponent()
        let draft = FilePath("\(path).installing")
        try makeFolder(folder)
        let file = try fileSystem.open(draft, .create)
        defer { file.close() }
        try file.truncate(to: 0)
        var failure: FileError?
        bytes.withUnsafeBytes { bytes in
            do throws(FileError) { try file.write(bytes, at: 0) } catch { failure = error }
        }
        if let failure { throw failure }
        try file.sync()
        guard chmod(draft.string, mode) == 0 else {
            throw InstallRefused("\(path) can't be given its mode: errno \(errno)")
        }
        try fileSystem.rename(draft, to: target)
        try fileSystem.syncDirectory(folder)
    }

    /// With its missing parents, and open to every user: the agent is one without rights.
    private func makeFolder(_ path: FilePath) throws {
        guard try fileSystem.status(path) == nil else { return }
        try makeFolder(path.removingLastComponent())
        guard mkdir(path.string, 0o755) == 0, chmod(path.string, 0o755) == 0 else {
            throw InstallRefused("\(path) can't be made: \(String(cString: strerror(errno)))")
        }
    }

    private static func ownProgram() throws -> [UInt8] {
        let descriptor = try FileDescriptor.open("/proc/self/exe", .readOnly)
        return try descriptor.closeAfter {
            var bytes: [UInt8] = []
            var buffer = [UInt8](repeating: 0, count: 1 << 20)
            while true {
                let count = try buffer.withUnsafeMutableBytes { try descriptor.read(into: $0) }
                if count == 0 { return bytes }
                bytes += buffer[..<count]
            }
        }
    }

    private static func spawn(_ words: [String]) throws {
        var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
        defer { arguments.forEach { free($0) } }
        var child: pid_t = 0
        let failure = posix_spawnp(&child, words[0], nil, nil, &arguments, environ)
        guard failure == 0 else {
            throw InstallRefused("\(words[0]) can't be started: \(String(cString: strerror(failure)))")
        }
        var status: CInt = 0
        while waitpid(child, &status, 0) < 0 { guard errno == EINTR else { break } }
        guard status == 0 else { throw InstallRefused("`\(words.joined(separator: " "))` failed: see above") }
    }
}

extension InstallPlan.Host {
    /// This host, as it is.
    static func observed() throws -> InstallPlan.Host {
        var path = [CChar](repeating: 0, count: Int(PATH_MAX))
        let length = readlink("/proc/self/exe", &path, path.count)
        guard length > 0 else { throw InstallRefused("the path of this program is not known: is /proc mounted?") }
        let program = String(decoding: path.prefix(length).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return InstallPlan.Host(
            programName: FilePath(program).lastComponent?.string ?? "millrace-agent", programPath: program,
            hasPackage: access(InstallPlan.packagedUnit, F_OK) == 0,
            hasConfiguration: access(InstallPlan.configuration, F_OK) == 0,
            groups: Set(["adm", "systemd-journal"].filter { getgrnam($0) != nil }),
            hasSystemd: access("/run/systemd/system", F_OK) == 0)
    }
}
