import Base
import KafkaConnection
import Synchronization
import Telemetry

/// Where a receiver takes messages from.
struct ReceiverEndpoints: Sendable, Equatable {
    var udp: [Address] = []
    var tcp: [Address] = []
    var unix: [String] = []
    /// A descriptor that lines are read from until it ends: standard input.
    var lines: CInt?
    var messageBytesMax = ByteCount.kib(64)
    var connectionsMax = 128
}

/// Takes messages from sockets, or lines from standard input, and puts them into a spool: a thread of its own, so that no disk and no broker keeps it from
/// listening.
///
/// Where the spool is full, connections, Unix sockets and standard input are left alone, so that their senders wait. Datagrams of UDP are taken, dropped and
/// counted; those that the kernel drops are counted too.
final class Receiver: Sendable {
    let endpoints: ReceiverEndpoints
    let spool: Spool
    private let source: SourceKey
    private let telemetry: Telemetry
    private let isStopping = Atomic(false)
    private let control = WakePipe()
    private let ended = WakePipe()

    init(_ endpoints: ReceiverEndpoints, into spool: Spool, source: SourceKey, telemetry: Telemetry) {
        self.endpoints = endpoints
        self.spool = spool
        self.source = source
        self.telemetry = telemetry
    }

    /// To be called once.
    func start() {
        LoopThread.start { [self] in
            var loop = ReceiverLoop(
                endpoints, spool: spool, source: source, metrics: telemetry.metrics, control: control.descriptor)
            loop.start()
            while !isStopping.load(ordering: .acquiring), loop.turn() {}
            loop.close()
            ended.signal()
        }
    }

    /// Closes the sockets; what was received is in the spool on return. To be called once, after `start`.
    func stop() {
        isStopping.store(true, ordering: .releasing)
        control.signal()
        ended.wait()
    }
}
