import KafkaWire
import NIOCore
import Synchronization

/// The server's side of one connection: cuts requests out of the stream, gives them to the dispatcher, and sends the answers in request order.
///
/// Nothing is read from the socket while too many requests are being worked on, or while the peer does not take its answers; so what a
/// peer can make the server hold is limited by `ServerSettings`.
///
/// Unchecked: its state lives on the channel's event loop; from other threads only `complete` and `close` are called, which hand over.
public final class ServerConnection: ChannelInboundHandler, ChannelOutboundHandler, @unchecked Sendable {
    public typealias InboundIn = ByteBuffer
    public typealias OutboundIn = IOData
    public typealias OutboundOut = IOData

    private struct Completion {
        var slot: UInt64
        var frame: ResponseFrame?
    }

    private let settings: ServerSettings
    private let dispatcher: any RequestDispatcher
    private let assembly: FrameAssembly
    /// Answers finished on other threads; the first one in schedules the hop for all that follow.
    private let mailbox = Mutex<[Completion]>([])
    /// The peer's address, for logs and quotas.
    public let remoteAddress: String
    public let eventLoop: any EventLoop

    private var context: ChannelHandlerContext?
    private var slots = ResponseSlots<ResponseFrame>()
    private var clientIDBytes = ByteBuffer()
    private var clientID = ""
    private var isDispatching = false
    private var isInReadCycle = false
    private var isReadHeld = false
    private var hasUnflushed = false
    private var lastMoved: NIODeadline
    private var idleTimer: Scheduled<Void>?
    private var closeReason: CloseReason?

    public init(channel: any Channel, settings: ServerSettings, dispatcher: any RequestDispatcher) {
        self.settings = settings
        self.dispatcher = dispatcher
        assembly = FrameAssembly(frameBytesMax: settings.requestBytesMax.bytes, allocator: channel.allocator)
        remoteAddress = channel.remoteAddress.map(Self.text) ?? "?"
        eventLoop = channel.eventLoop
        lastMoved = channel.eventLoop.now
        FrameReceiveAllocator.install(assembly, on: channel)
    }

    private static func text(_ address: SocketAddress) -> String {
        guard let ip = address.ipAddress, let port = address.port else { return address.description }
        return ip.contains(":") ? "[\(ip)]:\(port)" : "\(ip):\(port)"
    }

    // MARK: From any thread

    /// Closes the connection and tells the dispatcher why. The first reason counts.
    public func close(_ reason: CloseReason = .serverClosed) {
        if eventLoop.inEventLoop { closeOnLoop(reason) } else { eventLoop.execute { self.closeOnLoop(reason) } }
    }

    func complete(_ slot: UInt64, with frame: ResponseFrame?) {
        if eventLoop.inEventLoop {
            completed(Completion(slot: slot, frame: frame))
            answersCompleted()
            return
        }
        let isFirst = mailbox.withLock { waiting in
            waiting.append(Completion(slot: slot, frame: frame))
            return waiting.count == 1
        }
        if isFirst { eventLoop.execute { self.emptyMailbox() } }
    }

    // MARK: Requests

    public func channelActive(context: ChannelHandlerContext) {
        opened(context)
        context.fireChannelActive()
    }

    public func handlerAdded(context: ChannelHandlerContext) {
        if context.channel.isActive { opened(context) }
    }

    private func opened(_ context: ChannelHandlerContext) {
        guard self.context == nil else { return }
        self.context = context
        scheduleIdleCheck(after: settings.idleMax)
        dispatcher.connectionOpened(self)
    }

    public func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        isInReadCycle = true
        lastMoved = eventLoop.now
        do throws(FrameError) {
            try assembly.received(unwrapInboundIn(data))
        } catch {
            closeOnLoop(.refused(error.description))
        }
        dispatchRequests()
    }

    public func channelReadComplete(context: ChannelHandlerContext) {
        isInReadCycle = false
        flushIfNeeded()
    }

    /// The channel asks to be read again; not while the limits are reached.
    public func read(context: ChannelHandlerContext) {
        if mayReceive { context.read() } else { isReadHeld = true }
    }

    private var mayReceive: Bool {
        slots.count < settings.requestsInFlightMax
            && slots.waitingBytes < settings.requestBytesInFlightMax.bytes
            && context?.channel.isWritable ?? false
    }

    private func dispatchRequests() {
        guard !isDispatching else { return }
        isDispatching = true
        defer { isDispatching = false }
        do throws(FrameError) {
            while mayReceive, closeReason == nil, let frame = try assembly.next() { dispatch(frame) }
        } catch {
            closeOnLoop(.refused(error.description))
        }
    }

    /// Header v1: | api key i16 | version i16 | correlation id i32 | client id nullable string |; v2 adds tagged fields.
    private func dispatch(_ frame: ByteBuffer) {
        var body = frame
        guard let (key, version, correlationID) = body.readMultipleIntegers(as: (Int16, Int16, Int32).self) else {
            return closeOnLoop(.refused("a request of \(frame.readableBytes) bytes has no whole header"))
        }
        let apiKey = ApiKey(rawValue: key)
        guard let apiKey, let served = settings.versions.served(apiKey) else {
            return closeOnLoop(.refused("a request for API key \(key), which is not served"))
        }
        guard served.contains(version) else {
            return refuse(
                apiKey, version: version, served: served, correlationID: correlationID, bytes: frame.readableBytes)
        }
        guard readClientID(from: &body), skipTaggedFields(of: &body, apiKey: apiKey, version: version) else {
            return closeOnLoop(.refused("a \(apiKey) v\(version) request's header is cut short"))
        }
        let request = ReceivedRequest(
            apiKey: apiKey, version: version, correlationID: correlationID, clientID: clientID, body: body,
            connection: self, slot: slots.reserve(requestBytes: frame.readableBytes))
        dispatcher.requestReceived(request)
    }

    /// An ApiVersions of a version from the future is answered in v0 with error 35 and what is served, so that the client can ask again (KIP-511);
    /// for any other API nothing that the client would understand can be said.
    private func refuse(
        _ apiKey: ApiKey, version: Int16, served: ClosedRange<Int16>, correlationID: Int32, bytes: Int
    ) {
        guard apiKey == .apiVersions else {
            let range = "\(served.lowerBound) to \(served.upperBound)"
            return closeOnLoop(.refused("\(apiKey) v\(version) was asked for; \(range) are served"))
        }
        var buffer = ByteBuffer()
        buffer.writeMultipleIntegers(Int32(0), correlationID, ErrorCode.unsupportedVersion.rawValue)
        buffer.writeInteger(Int32(settings.versions.advertised.count))
        for range in settings.versions.advertised {
            buffer.writeMultipleIntegers(range.apiKey.rawValue, range.versions.lowerBound, range.versions.upperBound)
        }
        buffer.setInteger(Int32(buffer.readableBytes - 4), at: 0)
        complete(slots.reserve(requestBytes: bytes), with: .bytes(buffer))
    }

    /// The id is the same in every request of a connection, so its string is made once.
    private func readClientID(from body: inout ByteBuffer) -> Bool {
        guard let length = body.readInteger(as: Int16.self) else { return false }
        guard length >= 0 else {
            clientID = ""
            clientIDBytes = ByteBuffer()
            return length == -1
        }
        guard let bytes = body.readSlice(length: Int(length)) else { return false }
        if bytes != clientIDBytes {
            clientID = String(buffer: bytes)
            clientIDBytes = ByteBuffer(string: clientID)
        }
        return true
    }

    private func skipTaggedFields(of body: inout ByteBuffer, apiKey: ApiKey, version: Int16) -> Bool {
        guard apiKey.requestHeaderVersion(for: version) >= 2 else { return true }
        guard let count = body.readUnsignedVarint() else { return false }
        for _ in 0..<count {
            guard body.readUnsignedVarint() != nil, let length = body.readUnsignedVarint() else { return false }
            guard Int(length) <= body.readableBytes else { return false }
            body.moveReaderIndex(forwardBy: Int(length))
        }
        return true
    }

    // MARK: Answers

    private func emptyMailbox() {
        let completions = mailbox.withLock { waiting in
            defer { waiting = [] }
            return waiting
        }
        for completion in completions { completed(completion) }
        answersCompleted()
    }

    private func completed(_ completion: Completion) {
        guard closeReason == nil else { return }
        slots.fill(completion.slot, with: completion.frame)
    }

    private func answersCompleted() {
        guard let context, closeReason == nil else { return }
        while let response = slots.popReady() {
            if let response { write(response, context: context) }
        }
        // Within a read cycle one flush at its end serves all.
        if !isInReadCycle { flushIfNeeded() }
        resume()
    }

    private func write(_ frame: ResponseFrame, context: ChannelHandlerContext) {
        hasUnflushed = true
        switch frame {
        case .bytes(let buffer): context.write(wrapOutboundOut(.byteBuffer(buffer)), promise: nil)
        case .parts(let parts):
            for part in parts {
                switch part {
                case .bytes(let buffer): context.write(wrapOutboundOut(.byteBuffer(buffer)), promise: nil)
                case .file(let slice): write(slice, context: context)
                }
            }
        }
    }

    private func write(_ slice: FileSlice, context: ChannelHandlerContext) {
        guard let descriptor = slice.file.descriptor else { return writeCopy(of: slice, context: context) }
        let handle = NIOFileHandle(_deprecatedTakingOwnershipOfDescriptor: descriptor)
        let position = Int(slice.position)
        let region = FileRegion(fileHandle: handle, readerIndex: position, endIndex: position + slice.byteCount)
        let sent = context.eventLoop.makePromise(of: Void.self)
        sent.futureResult.whenComplete { _ in
            // The file owns its descriptor; it lives until here, so that the number can't come to mean another file.
            _ = try? handle.takeDescriptorOwnership()
            withExtendedLifetime(slice.file) {}
        }
        context.write(wrapOutboundOut(.fileRegion(region)), promise: sent)
    }

    /// For files that live in a simulation.
    private func writeCopy(of slice: FileSlice, context: ChannelHandlerContext) {
        var buffer = context.channel.allocator.buffer(capacity: slice.byteCount)
        do {
            let count = try buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: slice.byteCount) { bytes in
                let target = UnsafeMutableRawBufferPointer(rebasing: bytes[..<slice.byteCount])
                return try slice.file.read(into: target, at: slice.position)
            }
            guard count == slice.byteCount else {
                return closeOnLoop(.failed("a file ended \(slice.byteCount - count) bytes before its slice did"))
            }
            context.write(wrapOutboundOut(.byteBuffer(buffer)), promise: nil)
        } catch {
            closeOnLoop(.failed("a file slice can't be read: \(error)"))
        }
    }

    private func flushIfNeeded() {
        guard hasUnflushed, let context else { return }
        hasUnflushed = false
        context.flush()
    }

    private func resume() {
        guard mayReceive, closeReason == nil else { return }
        if assembly.hasUnreadBytes { dispatchRequests() }
        guard isReadHeld, mayReceive, let context else { return }
        isReadHeld = false
        context.read()
    }

    public func channelWritabilityChanged(context: ChannelHandlerContext) {
        lastMoved = eventLoop.now
        resume()
        context.fireChannelWritabilityChanged()
    }

    // MARK: The end

    private func scheduleIdleCheck(after delay: Duration) {
        idleTimer = eventLoop.scheduleTask(in: .nanoseconds(delay.nanoseconds)) { [weak self] in self?.checkIdle() }
    }

    private func checkIdle() {
        guard closeReason == nil else { return }
        let idle = Duration.nanoseconds((eventLoop.now - lastMoved).nanoseconds)
        // While an answer is being made it is not the peer that idles.
        if slots.waitingCount > 0 { return scheduleIdleCheck(after: settings.idleMax) }
        if idle >= settings.idleMax { return closeOnLoop(.idle) }
        scheduleIdleCheck(after: settings.idleMax - idle)
    }

    public func errorCaught(context: ChannelHandlerContext, error: any Error) { closeOnLoop(.failed("\(error)")) }

    public func channelInactive(context: ChannelHandlerContext) {
        ended(.peerClosed)
        self.context = nil
        context.fireChannelInactive()
    }

    private func closeOnLoop(_ reason: CloseReason) {
        let context = context
        // What was answered before leaves first.
        if closeReason == nil { flushIfNeeded() }
        ended(reason)
        context?.close(promise: nil)
    }

    private func ended(_ reason: CloseReason) {
        guard closeReason == nil, context != nil else { return }
        closeReason = reason
        idleTimer?.cancel()
        idleTimer = nil
        dispatcher.connectionClosed(self, reason: reason)
    }
}

extension ByteBuffer {
    /// An unsigned LEB128 number of at most 32 bits.
    mutating func readUnsignedVarint() -> UInt32? {
        var value: UInt32 = 0
        var shift: UInt32 = 0
        while shift < 35 {
            guard let byte = readInteger(as: UInt8.self) else { return nil }
            value |= UInt32(byte & 0x7f) << shift
            if byte & 0x80 == 0 { return value }
            shift += 7
        }
        return nil
    }
}
