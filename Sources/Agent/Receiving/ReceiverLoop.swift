import Base
import KafkaConnection
import Telemetry

#if canImport(Glibc)
    import Glibc
#endif

/// The receiver's thread: waits for sockets, reads them in turns, writes what came to the spool.
struct ReceiverLoop {
    private final class Connection {
        let descriptor: CInt
        let sender: [UInt8]
        var framer: SyslogFramer

        init(_ descriptor: CInt, sender: [UInt8], framer: SyslogFramer) {
            self.descriptor = descriptor
            self.sender = sender
            self.framer = framer
        }
    }

    /// A socket that datagrams come to.
    private struct DatagramSocket {
        var descriptor: CInt
        /// Its senders wait while nobody reads it.
        var pushesBack: Bool
        /// What the kernel had dropped when it last told.
        var kernelDrops: UInt32 = 0
    }

    private enum Endpoint: Hashable {
        case udp(Address)
        case tcp(Address)
        case unix(String)
    }

    private let endpoints: ReceiverEndpoints
    private let spool: Spool
    private let source: SourceKey
    private let counts: ReceiverCounts
    private let control: CInt
    private let time = SystemTime()

    private var unopened: [Endpoint]
    private var openAt = Instant.zero
    private var datagrams: [DatagramSocket] = []
    private var listeners: [CInt] = []
    private var connections: [Connection] = []
    private var lines: Connection?

    private let writer: SpoolWriter
    /// Frames that aren't handed to the writer yet.
    private var pending = SpoolWriter.Batch()
    private var troubles: Set<String> = []
    private let buffer: UnsafeMutableRawBufferPointer
    private var sender: [UInt8] = []

    private static let datagramsPerTurn = 64
    private static let pendingBytesMax = 256 << 10
    private static let openDelay = Duration.seconds(5)

    init(
        _ endpoints: ReceiverEndpoints, spool: Spool, source: SourceKey, metrics: MetricRegistry, control: CInt
    ) {
        self.endpoints = endpoints
        self.spool = spool
        self.source = source
        self.control = control
        counts = ReceiverCounts(metrics, source: source)
        writer = SpoolWriter(spool, source: source, metrics: metrics)
        unopened =
            endpoints.udp.map { .udp($0) } + endpoints.tcp.map { .tcp($0) } + endpoints.unix.map { .unix($0) }
        // The longest datagram there is over UDP has 65,507 bytes.
        buffer = .allocate(byteCount: max(64 << 10, endpoints.messageBytesMax.bytes), alignment: 16)
        if let descriptor = endpoints.lines {
            lines = Connection(
                descriptor, sender: [],
                framer: SyslogFramer(bytesMax: endpoints.messageBytesMax.bytes, linesOnly: true))
        }
    }

    /// Waits and works once. False where nothing will come any more.
    mutating func turn() -> Bool {
        let now = time.now
        if !unopened.isEmpty, openAt <= now { openAll(now) }
        if counts.reportAt <= now { counts.report(to: spool, source: source, now: now) }
        counts.spoolBytes.set(Int(clamping: spool.heldBytes))
        wait(now)
        flush()
        // The last lines may wait for a disk that is full.
        return !hasEnded || writer.waitingBytes > 0
    }

    mutating func close() {
        flush()
        writer.stop()
        if hasEnded, !writer.isFailing { spool.end() }
        counts.report(to: spool, source: source, now: time.now)
        for descriptor in datagrams.map(\.descriptor) + listeners + connections.map(\.descriptor) {
            Glibc.close(descriptor)
        }
        for path in endpoints.unix where !unopened.contains(.unix(path)) { unlink(path) }
        counts.connections.set(0)
        buffer.deallocate()
    }

    // MARK: - Sockets

    private mutating func openAll(_ now: Instant) {
        var left: [Endpoint] = []
        for endpoint in unopened {
            do throws(SocketError) {
                switch endpoint {
                case .udp(let address):
                    datagrams.append(DatagramSocket(descriptor: try ReceiverSocket.udp(address), pushesBack: false))
                case .tcp(let address): listeners.append(try ReceiverSocket.tcp(address))
                case .unix(let path):
                    datagrams.append(DatagramSocket(descriptor: try ReceiverSocket.unix(path), pushesBack: true))
                }
            } catch {
                left.append(endpoint)
                trouble("\(error)")
            }
        }
        unopened = left
        openAt = now + Self.openDelay
        if left.isEmpty { works() }
    }

    private mutating func trouble(_ text: String) {
        guard troubles.insert(text).inserted else { return }
        spool.report(.trouble(source: source.text, detail: text))
    }

    private mutating func works() {
        guard !troubles.isEmpty else { return }
        troubles = []
        spool.report(.recovered(source: source.text))
    }

    /// Standard input was read to its end.
    private var hasEnded: Bool { endpoints.lines != nil && lines == nil }

    private var hasRoom: Bool {
        let waiting = pending.frames.count + writer.waitingBytes
        return !writer.isFailing && waiting <= SpoolWriter.waitingBytesMax && spool.roomBytes - waiting >= reserveBytes
    }

    /// More than one reading brings.
    private var reserveBytes: Int { Self.pendingBytesMax + 2 * buffer.count }

    private mutating func wait(_ now: Instant) {
        let canTake = hasRoom
        var polled = [pollfd(fd: control, events: Int16(POLLIN), revents: 0)]
        func add(_ descriptor: CInt) { polled.append(pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)) }
        let read = datagrams.indices.filter { canTake || !datagrams[$0].pushesBack }
        for index in read { add(datagrams[index].descriptor) }
        for listener in listeners { add(listener) }
        let readsStreams = canTake
        if readsStreams {
            for connection in connections { add(connection.descriptor) }
            if let lines { add(lines.descriptor) }
        }
        var until = counts.reportAt
        if !unopened.isEmpty { until = min(until, openAt) }
        // Nobody tells when the spool has room again.
        if !canTake || hasEnded { until = min(until, now + .milliseconds(50)) }
        let wait =
            until == .distantFuture ? -1 : CInt(clamping: max((until - now).nanoseconds + 999_999, 0) / 1_000_000)
        guard poll(&polled, nfds_t(polled.count), wait) > 0 else { return }
        var ready = polled.dropFirst().map { $0.revents != 0 }[...]
        for index in read where ready.removeFirst() { takeDatagrams(index) }
        var accepted: [CInt] = []
        for listener in listeners where ready.removeFirst() { accepted.append(listener) }
        if readsStreams {
            let known = connections
            for connection in known where ready.removeFirst() { take(connection) }
            if let lines, ready.removeFirst() { takeLines(lines) }
        }
        for listener in accepted { accept(from: listener) }
    }

    // MARK: - Datagrams

    private mutating func takeDatagrams(_ index: Int) {
        let socket = datagrams[index]
        for _ in 0..<Self.datagramsPerTurn {
            if pending.frames.count >= Self.pendingBytesMax { flush() }
            let canTake = hasRoom
            if !canTake, socket.pushesBack { return }
            sender.removeAll(keepingCapacity: true)
            guard let (count, drops) = receive(socket.descriptor) else { return }
            if let drops, drops != datagrams[index].kernelDrops {
                counts.dropped(.kernel, Int(drops &- datagrams[index].kernelDrops), now: time.now)
                datagrams[index].kernelDrops = drops
            }
            guard canTake else {
                counts.dropped(writer.isFailing ? .disk : .full, 1, now: time.now)
                continue
            }
            let taken = min(count, endpoints.messageBytesMax.bytes)
            let message = UnsafeRawBufferPointer(rebasing: buffer[..<taken])
            put(
                SyslogFramer.trimmed(message), taken < count ? .cut(byteCount: count) : .message, from: sender)
        }
    }

    /// One datagram into `buffer`, its sender's address into `sender`: its length, which may be more than the buffer's, and how many the kernel has dropped.
    private mutating func receive(_ descriptor: CInt) -> (count: Int, drops: UInt32?)? {
        var address = sockaddr_storage()
        var drops: UInt32?
        var control = [UInt64](repeating: 0, count: 16)
        let buffer = buffer
        let count = control.withUnsafeMutableBytes { control in
            withUnsafeMutablePointer(to: &address) { address in
                var part = iovec(iov_base: buffer.baseAddress, iov_len: buffer.count)
                return withUnsafeMutablePointer(to: &part) { part in
                    var header = msghdr()
                    header.msg_name = UnsafeMutableRawPointer(address)
                    header.msg_namelen = socklen_t(MemoryLayout<sockaddr_storage>.size)
                    header.msg_iov = part
                    header.msg_iovlen = 1
                    header.msg_control = control.baseAddress
                    header.msg_controllen = control.count
                    let count = recvmsg(descriptor, &header, CInt(MSG_TRUNC))
                    // One control message, if any: length, level, type, and the number.
                    if count >= 0, header.msg_controllen >= 20,
                        control.load(fromByteOffset: 8, as: CInt.self) == SOL_SOCKET,
                        control.load(fromByteOffset: 12, as: CInt.self) == SO_RXQ_OVFL
                    {
                        drops = control.load(fromByteOffset: 16, as: UInt32.self)
                    }
                    return count
                }
            }
        }
        guard count >= 0 else { return nil }
        ReceiverSocket.append(addressOf: &address, to: &sender)
        return (count, drops)
    }

    // MARK: - Streams

    private mutating func accept(from listener: CInt) {
        while true {
            var address = sockaddr_storage()
            var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
            let descriptor = withUnsafeMutablePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { Glibc.accept(listener, $0, &length) }
            }
            guard descriptor >= 0 else { return }
            _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
            _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
            guard connections.count < endpoints.connectionsMax else {
                counts.refused.increment()
                Glibc.close(descriptor)
                continue
            }
            ReceiverSocket.set(descriptor, SOL_SOCKET, SO_KEEPALIVE, 1)
            var sender: [UInt8] = []
            ReceiverSocket.append(addressOf: &address, to: &sender)
            connections.append(
                Connection(
                    descriptor, sender: sender, framer: SyslogFramer(bytesMax: endpoints.messageBytesMax.bytes)))
            counts.connections.set(connections.count)
        }
    }

    private mutating func take(_ connection: Connection) {
        // The round may have filled the spool meanwhile.
        if pending.frames.count >= Self.pendingBytesMax { flush() }
        guard hasRoom else { return }
        let count = recv(connection.descriptor, buffer.baseAddress!, buffer.count, 0)
        if count < 0, errno == EAGAIN || errno == EINTR { return }
        guard count > 0, take(count, of: connection) else {
            if count == 0, !end(connection) { counts.unfinished.increment() }
            if count < 0, connection.framer.heldBytes > 0 { counts.unfinished.increment() }
            Glibc.close(connection.descriptor)
            connections.removeAll { $0 === connection }
            counts.connections.set(connections.count)
            return
        }
    }

    private mutating func takeLines(_ lines: Connection) {
        guard hasRoom else { return }
        let count = read(lines.descriptor, buffer.baseAddress!, buffer.count)
        if count < 0, errno == EAGAIN || errno == EINTR { return }
        if count > 0 {
            _ = take(count, of: lines)
        } else {
            _ = end(lines)
            self.lines = nil
        }
    }

    /// False where the sender doesn't keep to a framing.
    private mutating func take(_ count: Int, of connection: Connection) -> Bool {
        connection.framer.received(UnsafeRawBufferPointer(rebasing: buffer[..<count])) {
            put($0, $1, from: connection.sender)
        }
        if connection.framer.isBroken { counts.framingErrors.increment() }
        return !connection.framer.isBroken
    }

    private mutating func end(_ connection: Connection) -> Bool {
        connection.framer.ended { put($0, $1, from: connection.sender) }
    }

    // MARK: - The spool

    private mutating func put(_ message: UnsafeRawBufferPointer, _ piece: SyslogFramer.Piece, from sender: [UInt8]) {
        guard !message.isEmpty || endpoints.lines != nil else { return }
        if case .cut(let byteCount) = piece {
            spool.report(.lineCut(source, byteCount: Int64(byteCount)))
        }
        pending.messages += 1
        pending.messageBytes += message.count
        let received = time.wallTime
        sender.withUnsafeBytes { sender in
            SpoolFormat.append(
                received: received, sender: sender, message: message, marker: spool.marker, to: &pending.frames)
        }
    }

    private mutating func flush() { writer.put(&pending) }

    func start() { writer.start() }
}
