import Base
import KafkaWire
import NIOCore
import Synchronization

/// A request on its way: its frame, and who waits for the answer.
struct OutgoingRequest: Sendable {
    typealias Completion = @Sendable (Result<ByteBuffer, ClientError>) -> Void

    /// In pieces: a batch is sent from where it lies.
    var frame: [ByteBuffer]
    var apiKey: ApiKey
    var correlationID: Int32
    var timeout: Duration
    /// Nil for a request that gets no answer (acks=0).
    var completion: Completion?
}

/// The client's side of one connection: writes requests in the order they were given, and matches the answers, which come in the same order.
///
/// Unchecked: its state lives on the channel's event loop; from other threads only the methods under "From any thread" are called.
final class ClientChannelHandler: ChannelInboundHandler, @unchecked Sendable {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = IOData

    private struct Pending {
        var apiKey: ApiKey
        var correlationID: Int32
        var deadline: NIODeadline
        /// Nil once the caller no longer waits; the answer is then thrown away.
        var completion: OutgoingRequest.Completion?
    }

    private let settings: ConnectionSettings
    private let eventLoop: any EventLoop
    private let address: Address
    private let assembly: FrameAssembly
    private let mailbox = Mutex<[OutgoingRequest]>([])

    private var context: ChannelHandlerContext?
    private var pending: CircularBuffer<Pending> = []
    private var timer: Scheduled<Void>?
    private var timerDeadline = NIODeadline.distantFuture
    private var closeError: ClientError?
    /// Until then nothing is sent; what is to be sent waits in the mailbox.
    private var mutedUntil: NIODeadline?
    private let retiring = Atomic<Bool>(false)

    init(channel: any Channel, address: Address, settings: ConnectionSettings) {
        self.settings = settings
        self.address = address
        eventLoop = channel.eventLoop
        assembly = FrameAssembly(frameBytesMax: settings.responseBytesMax.bytes, allocator: channel.allocator)
        // Under TLS the socket's bytes are not the stream's.
        if settings.security == nil { FrameReceiveAllocator.install(assembly, on: channel) }
    }

    // MARK: From any thread

    /// Requests leave in the order of these calls, where the calls themselves have one.
    func send(_ request: OutgoingRequest) {
        let isFirst = mailbox.withLock { waiting in
            waiting.append(request)
            return waiting.count == 1
        }
        if isFirst { eventLoop.execute { self.emptyMailbox() } }
    }

    /// Sends nothing for so long, at most `throttleMax`: a broker that throttles reads nothing meanwhile (KIP-219).
    func mute(for duration: Duration) {
        if eventLoop.inEventLoop {
            muteOnLoop(for: duration)
        } else {
            eventLoop.execute { self.muteOnLoop(for: duration) }
        }
    }

    /// True once no further request is taken: the connection closes when those under way are answered.
    var isRetiring: Bool { retiring.load(ordering: .acquiring) }

    func retire(after delay: Duration) {
        eventLoop.scheduleTask(in: .nanoseconds(delay.nanoseconds)) { [weak self] in
            guard let self else { return }
            self.retiring.store(true, ordering: .releasing)
            self.closeIfRetired()
        }
    }

    func cancel(correlationID: Int32) { eventLoop.execute { self.cancelled(correlationID) } }

    func close(_ error: ClientError) {
        if eventLoop.inEventLoop { closeOnLoop(error) } else { eventLoop.execute { self.closeOnLoop(error) } }
    }

    // MARK: Requests

    private func muteOnLoop(for duration: Duration) {
        guard closeError == nil else { return }
        let until = eventLoop.now + .nanoseconds(min(duration, settings.throttleMax).nanoseconds)
        guard mutedUntil.map({ $0 < until }) ?? true else { return }
        let isFirst = mutedUntil == nil
        mutedUntil = until
        if isFirst { unmute(at: until) }
    }

    private func unmute(at deadline: NIODeadline) {
        eventLoop.scheduleTask(deadline: deadline) { [weak self] in
            guard let self, let until = self.mutedUntil, self.closeError == nil else { return }
            if until > self.eventLoop.now { return self.unmute(at: until) }
            self.mutedUntil = nil
            self.emptyMailbox()
        }
    }

    private func emptyMailbox() {
        // Their time runs from when they are sent.
        if mutedUntil != nil, closeError == nil { return }
        let requests = mailbox.withLock { waiting in
            defer { waiting = [] }
            return waiting
        }
        guard let context, closeError == nil else {
            let error = closeError ?? ClientError(.connectionClosed, "the connection to \(address) is not open")
            for request in requests { request.completion?(.failure(error)) }
            return
        }
        for request in requests {
            if isRetiring {
                request.completion?(.failure(retiredError))
            } else {
                write(request, context: context)
            }
        }
        context.flush()
    }

    private var retiredError: ClientError {
        ClientError(
            .connectionClosed, "the connection to \(address) is being replaced: its authentication is about to expire")
    }

    private func closeIfRetired() {
        if isRetiring, pending.isEmpty { closeOnLoop(retiredError) }
    }

    private func write(_ request: OutgoingRequest, context: ChannelHandlerContext) {
        if let completion = request.completion {
            guard pending.count < settings.requestsInFlightMax else {
                let text = "\(pending.count) requests wait for \(address) already"
                return completion(.failure(ClientError(.connectionClosed, text)))
            }
            let deadline = eventLoop.now + .nanoseconds(request.timeout.nanoseconds)
            pending.append(
                Pending(
                    apiKey: request.apiKey, correlationID: request.correlationID, deadline: deadline,
                    completion: completion))
            watch(deadline)
        }
        for piece in request.frame { context.write(wrapOutboundOut(.byteBuffer(piece)), promise: nil) }
    }

    private func cancelled(_ correlationID: Int32) {
        guard let index = pending.firstIndex(where: { $0.correlationID == correlationID }) else {
            return cancelUnsent(correlationID)
        }
        let completion = pending[index].completion
        pending[index].completion = nil
        completion?(.failure(ClientError(.cancelled, "the request was cancelled by its caller")))
    }

    private func cancelUnsent(_ correlationID: Int32) {
        let request = mailbox.withLock { waiting in
            waiting.firstIndex { $0.correlationID == correlationID }.map { waiting.remove(at: $0) }
        }
        request?.completion?(.failure(ClientError(.cancelled, "the request was cancelled by its caller")))
    }

    // MARK: Answers

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        do throws(FrameError) {
            try assembly.received(unwrapInboundIn(data))
            while closeError == nil, let frame = try assembly.next() { answered(frame) }
        } catch {
            closeOnLoop(ClientError(.protocolViolation, "from \(address): \(error)"))
        }
    }

    private func answered(_ frame: ByteBuffer) {
        let found = frame.getInteger(at: frame.readerIndex, as: Int32.self)
        guard let expected = pending.first, found == expected.correlationID else {
            let wanted = pending.first.map { "correlation id \($0.correlationID)" } ?? "nothing"
            let got = found.map(String.init) ?? "\(frame.readableBytes) bytes"
            return closeOnLoop(
                ClientError(.protocolViolation, "\(address) answered \(got) where \(wanted) was expected"))
        }
        pending.removeFirst()
        expected.completion?(.success(frame))
        closeIfRetired()
    }

    // MARK: Deadlines

    /// One timer serves the whole connection: it is set to the earliest deadline, and not moved when a request is answered in time.
    private func watch(_ deadline: NIODeadline) {
        guard deadline < timerDeadline else { return }
        timer?.cancel()
        timerDeadline = deadline
        timer = eventLoop.scheduleTask(deadline: deadline) { [weak self] in self?.deadlineReached() }
    }

    private func deadlineReached() {
        timerDeadline = .distantFuture
        timer = nil
        guard closeError == nil else { return }
        let now = eventLoop.now
        guard let late = pending.firstIndex(where: { $0.deadline <= now }) else {
            if let next = pending.map(\.deadline).min() { watch(next) }
            return
        }
        let text = "\(address) did not answer \(pending[late].apiKey) in time"
        let completion = pending[late].completion
        pending[late].completion = nil
        closeOnLoop(ClientError(.connectionClosed, "closed, because \(text)"))
        completion?(.failure(ClientError(.timedOut, text)))
    }

    // MARK: The end

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        let code = error is TransportFailure ? ClientError.Code.connectFailed : .connectionClosed
        closeOnLoop(ClientError(code, "the connection to \(address) failed: \(error)", cause: error))
    }

    func channelInactive(context: ChannelHandlerContext) {
        closeOnLoop(ClientError(.connectionClosed, "\(address) closed the connection"))
        self.context = nil
        context.fireChannelInactive()
    }

    private func closeOnLoop(_ error: ClientError) {
        guard closeError == nil else { return }
        closeError = error
        timer?.cancel()
        timer = nil
        let waiting = pending
        pending = []
        context?.close(promise: nil)
        for request in waiting { request.completion?(.failure(error)) }
        emptyMailbox()
    }
}
