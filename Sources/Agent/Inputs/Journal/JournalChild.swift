import Base
import CSystemd

#if canImport(Glibc)
    import Glibc
#endif

/// The process that reads the journal, and the pipe that its frames come through.
///
/// It lives in a process of its own because the library that reads journals maps files that others write, cut and corrupt: a bus error
/// there must not end the agent. It ends when this end of its standard input is closed, and with the thread that started it.
final class JournalChild {
    enum ReadResult {
        case bytes(Int)
        case nothingYet
        case end
    }

    let pid: pid_t
    /// Readable when there are frames.
    let output: CInt
    private let input: CInt

    /// Starts it.
    ///
    /// - Throws: `ChildError` with the reason of the system.
    init(command: [String]) throws(ChildError) {
        var toChild: [CInt] = [-1, -1]
        var fromChild: [CInt] = [-1, -1]
        guard pipe2(&toChild, O_CLOEXEC) == 0 else { throw ChildError(code: errno) }
        guard pipe2(&fromChild, O_CLOEXEC) == 0 else {
            let code = errno
            toChild.forEach { _ = Glibc.close($0) }
            throw ChildError(code: code)
        }
        let result = Self.spawn(command, input: toChild[0], output: fromChild[1])
        _ = Glibc.close(toChild[0])
        _ = Glibc.close(fromChild[1])
        guard case .success(let pid) = result else {
            _ = Glibc.close(toChild[1])
            _ = Glibc.close(fromChild[0])
            guard case .failure(let error) = result else { fatalError("a result is one or the other") }
            throw error
        }
        _ = fcntl(fromChild[0], F_SETFL, O_NONBLOCK)
        self.pid = pid
        input = toChild[1]
        output = fromChild[0]
    }

    private static func spawn(_ command: [String], input: CInt, output: CInt) -> Result<pid_t, ChildError> {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, input, 0)
        posix_spawn_file_actions_adddup2(&actions, output, 1)
        posix_spawn_file_actions_addclosefrom_np(&actions, 3)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // A group of its own: an interrupt at the terminal is for the agent, which then ends its reader.
        posix_spawnattr_setflags(
            &attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP))
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        for signal in [SIGINT, SIGTERM, SIGHUP, SIGPIPE, SIGCHLD, SIGUSR1, SIGUSR2] { sigaddset(&signals, signal) }
        posix_spawnattr_setsigdefault(&attributes, &signals)
        var arguments: [UnsafeMutablePointer<CChar>?] = command.map { strdup($0) } + [nil]
        defer { arguments.forEach { free($0) } }
        // A bus error is to be expected, and quick.
        var environment: [UnsafeMutablePointer<CChar>?] = [strdup("SWIFT_BACKTRACE=enable=no"), nil]
        defer { environment.forEach { free($0) } }
        var pid = pid_t()
        let code = posix_spawn(&pid, command[0], &actions, &attributes, &arguments, &environment)
        return code == 0 ? .success(pid) : .failure(ChildError(code: code))
    }

    func read(into buffer: UnsafeMutableRawBufferPointer) -> ReadResult {
        while true {
            let count = Glibc.read(output, buffer.baseAddress!, buffer.count)
            if count > 0 { return .bytes(count) }
            if count == 0 { return .end }
            if errno == EINTR { continue }
            return errno == EAGAIN ? .nothingYet : .end
        }
    }

    enum Exit {
        case status(CInt)
        case signal(CInt)

        /// The library met something in the files that it can't survive.
        var isCrash: Bool {
            switch self {
            case .status: false
            case .signal(let signal): [SIGBUS, SIGSEGV, SIGABRT, SIGILL, SIGFPE, SIGTRAP].contains(signal)
            }
        }

        var text: String {
            switch self {
            case .status(let status): "the journal reader ended with status \(status)"
            case .signal(let signal): "the journal reader was ended by signal \(signal)"
            }
        }
    }

    /// Ends it where it still runs, and says how it ended. To be called once.
    func end() -> Exit {
        _ = Glibc.close(input)
        _ = Glibc.close(output)
        // One that is ending already keeps the status that it has.
        kill(pid, SIGKILL)
        var status: CInt = 0
        while waitpid(pid, &status, 0) < 0, errno == EINTR {}
        let signal = status & 0x7F
        return signal == 0 ? .status((status >> 8) & 0xFF) : .signal(signal)
    }
}

/// Why no child could be started.
struct ChildError: Error, CustomStringConvertible {
    let code: CInt

    var description: String { String(cString: strerror(code)) }
}
