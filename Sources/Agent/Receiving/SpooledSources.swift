import Base
import Synchronization
import SystemPackage
import Telemetry

/// The receivers of an agent's `syslog` and `stdin` sources, and their spools (`spool/NAME` in the state directory).
///
/// They begin before a broker is found, and go on while the agent reads its configuration again: what does not change there loses nothing.
public final class SpooledSources: Sendable {
    private struct Running {
        var receiver: Receiver
        var spool: SpoolSettings
        var state: FilePath
        var host: String
    }

    private let telemetry: Telemetry
    private let fileSystem: any FileSystem
    private let running = Mutex<[String: Running]>([:])

    public init(telemetry: Telemetry, fileSystem: any FileSystem = PosixFileSystem()) {
        self.telemetry = telemetry
        self.fileSystem = fileSystem
    }

    /// Begins to receive for sources that are new or changed, and ends what is no longer asked for. The state directory has to be locked.
    ///
    /// - Throws: where a spool can't be opened: the disk refuses.
    public func begin(_ settings: AgentSettings) throws {
        try running.withLock { running in
            let wanted = Self.endpoints(settings)
            for (name, old) in running {
                let isKept =
                    wanted[name].map { $0.endpoints == old.receiver.endpoints && $0.spool == old.spool } ?? false
                if isKept, old.state == settings.state, old.host == settings.host { continue }
                old.receiver.stop()
                running[name] = nil
            }
            for (name, new) in wanted.sorted(by: { $0.key < $1.key }) where running[name] == nil {
                let spool = try Spool(
                    name: name, folder: settings.state.appending("spool").appending(name), in: fileSystem,
                    settings: new.spool)
                if spool.recovery.tornBytes > 0 {
                    telemetry.emit(
                        Note(
                            "\(spool.recovery.tornBytes) bytes at the end of the spool of '\(name)' were torn off by a crash"
                        ))
                }
                let receiver = Receiver(
                    new.endpoints, into: spool, source: SourceKey("\(settings.host)/\(name)"), telemetry: telemetry)
                receiver.start()
                running[name] = Running(
                    receiver: receiver, spool: new.spool, state: settings.state, host: settings.host)
            }
        }
    }

    /// Closes every socket; what was received stands in the spools.
    public func stop() {
        running.withLock { running in
            for source in running.values { source.receiver.stop() }
            running = [:]
        }
    }

    private static func endpoints(
        _ settings: AgentSettings
    ) -> [String: (endpoints: ReceiverEndpoints, spool: SpoolSettings)] {
        var wanted: [String: (endpoints: ReceiverEndpoints, spool: SpoolSettings)] = [:]
        for syslog in settings.syslogs {
            let endpoints = ReceiverEndpoints(
                udp: syslog.udp, tcp: syslog.tcp, unix: syslog.unix, messageBytesMax: syslog.messageBytesMax,
                connectionsMax: syslog.connectionsMax)
            wanted[syslog.name] = (endpoints, syslog.spool)
        }
        if let stdin = settings.stdin {
            let endpoints = ReceiverEndpoints(lines: 0, messageBytesMax: stdin.lineBytesMax)
            wanted[stdin.name] = (endpoints, stdin.spool)
        }
        return wanted
    }

    /// The inputs that read the spools of what `begin` began.
    func inputs(
        settings: AgentSettings, checkpoints: [StreamCheckpoint], nextStreamID: @escaping () -> StreamID
    ) -> [any Input] {
        let spools = running.withLock { $0.mapValues(\.receiver.spool) }
        func input(_ name: String, _ format: any SpooledFormat, _ topic: String, _ place: String) -> any Input {
            SpooledInput(
                spool: spools[name]!, format: format, source: SourceKey("\(settings.host)/\(name)"), topic: topic,
                place: place, checkpoints: checkpoints, nextStreamID: nextStreamID)
        }
        var inputs: [any Input] = []
        for syslog in settings.syslogs {
            telemetry.emit(Note("listening for syslog at \(syslog.place)"))
            let format = SyslogFormat(settings: syslog, host: settings.host)
            inputs.append(input(syslog.name, format, syslog.topic, syslog.place))
        }
        if let stdin = settings.stdin {
            telemetry.emit(Note("reading standard input"))
            let format = LineFormat(settings: stdin, host: settings.host)
            inputs.append(input(stdin.name, format, stdin.topic, "standard input"))
        }
        return inputs
    }
}
