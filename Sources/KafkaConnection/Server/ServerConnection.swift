import KafkaWire
import NIOCore
import Synchronization

/// The server's side of one connection: cuts requests out of the stream, gives them to the dispatcher, and sends the answers in request order.
///
/// Nothing is read from the socket while too many requests are being worked on, or while the peer does not take its answers; so what a
/// peer can make the server hold is limited by `ServerSettings`.
///
/// Unchecked: its state lives on the channel's event loop; from other threads only `complete` and `close` are called, which hand over.
public final class ServerConnection: ChannelInboundHandler, ChannelOutboundHandler, RequestBudget.Claimant,
    @unchecked Sendable
{
    public typealias InboundIn = ByteBuffer
    public typealias OutboundIn = IOData
    public typealias OutboundOut = IOData

    private struct Completion {
        var slot: UInt64
        var frame: ResponseFrame?
    }

    /// How the next request stands with the budget of all connections.
    private enum Admission {
        case none
        /// Nothing is read, nor taken apart, until the bytes are granted.
        case waiting(bytes: Int)
        case granted(bytes: Int)
    }

    /// How far the peer has come before it is let in.
    private enum Entry {
        /// The transport is not secured yet.
        case securing
        /// It has to say who it is; the dispatcher decides with `letIn`.
        case authenticating
        case letIn
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
    private var headers = RequestHeaderReader()
    private var admission = Admission.none
    private var entry: Entry
    private var openedAt: NIODeadline
    /// What has to be copied to be sent, and whether a piece of it is being read from the disk.
    private var copies = CopyQueue()
    private var isReadingFile = false
    private var isCopying = false
    private let onLetIn: @Sendable () -> Void
    private var isDispatching = false
    private var isInReadCycle = false
    private var isReadHeld = false
    private var hasUnflushed = false
    private var lastMoved: NIODeadline
    /// Since when bytes of a request have been here and the rest of it has not.
    private var partialSince: NIODeadline?
    private var timer: Scheduled<Void>?
    private var closeReason: CloseReason?

    /// - Parameter onLetIn: called once, on the event loop, when the peer is let in; not where nothing keeps it out.
    public init(
        channel: any Channel, settings: ServerSettings, dispatcher: any RequestDispatcher,
        onLetIn: @escaping @Sendable () -> Void = {}
    ) {
        self.settings = settings
        self.dispatcher = dispatcher
        self.onLetIn = onLetIn
        entry = settings.security != nil ? .securing : settings.requiresAuthentication ? .authenticating : .letIn
        openedAt = channel.eventLoop.now
        let bytesMax = settings.letsInLater ? ServerSettings.requestBytesMaxBefore : settings.requestBytesMax
        assembly = FrameAssembly(frameBytesMax: bytesMax.bytes, allocator: channel.allocator)
        remoteAddress = channel.remoteAddress.map(Self.text) ?? "?"
        eventLoop = channel.eventLoop
        lastMoved = channel.eventLoop.now
        // Under TLS the socket's bytes are not the stream's.
        if settings.security == nil { FrameReceiveAllocator.install(assembly, on: channel) }
    }

    private static func text(_ address: SocketAddress) -> String {
        guard let ip = address.ipAddress, let port = address.port else { return address.description }
        return ip.contains(":") ? "[\(ip)]:\(port)" : "\(ip):\(port)"
    }

    /// True where answers are copied out of the files that they come from, a piece at a time, rather than sent by the kernel.
    public var copiesFiles: Bool { settings.security != nil }

    /// What the dispatcher keeps about the peer. On the event loop.
    public var session: AnyObject?

    /// The subject of the certificate that the peer showed. On the event loop.
    public private(set) var peerName: String?

    /// True once transport and peer are known to be who they have to be. On the event loop.
    public var isLetIn: Bool {
        switch entry {
        case .securing, .authenticating: false
        case .letIn: true
        }
    }

    /// The dispatcher found the peer to be who it says. On the event loop.
    public func letIn() {
        guard !isLetIn, closeReason == nil else { return }
        entry = .letIn
        assembly.frameBytesMax = settings.requestBytesMax.bytes
        onLetIn()
        dispatcher.connectionLetIn(self)
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
        openedAt = eventLoop.now
        scheduleCheck(after: isLetIn ? settings.idleMax : min(settings.idleMax, settings.authenticationMax))
        dispatcher.connectionOpened(self)
    }

    public func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if let secured = event as? TransportSecured, case .securing = entry {
            peerName = secured.peerName
            entry = .authenticating
            if !settings.requiresAuthentication { letIn() }
        }
        context.fireUserInboundEventTriggered(event)
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
            && !isWaitingForBudget && copies.isEmpty && !isReadingFile
    }

    private var isWaitingForBudget: Bool {
        if case .waiting = admission { true } else { false }
    }

    private func dispatchRequests() {
        guard !isDispatching else { return }
        isDispatching = true
        defer { isDispatching = false }
        do throws(FrameError) {
            while mayReceive, closeReason == nil, try isNextAdmitted(), let frame = try assembly.next() {
                partialSince = nil
                dispatch(frame)
            }
        } catch {
            closeOnLoop(.refused(error.description))
        }
        if !assembly.hasPartialFrame { partialSince = nil } else if partialSince == nil { partialSince = eventLoop.now }
    }

    /// False where the request that the received bytes begin with has to wait for the budget.
    private func isNextAdmitted() throws(FrameError) -> Bool {
        guard let budget = settings.budget, case .none = admission, let bytes = try assembly.announcedBytes() else {
            return true
        }
        guard budget.claim(bytes, for: self) else {
            admission = .waiting(bytes: bytes)
            return false
        }
        admission = .granted(bytes: bytes)
        return true
    }

    /// From any thread.
    func bytesGranted() {
        eventLoop.execute {
            guard case .waiting(let bytes) = self.admission, self.closeReason == nil else { return }
            self.admission = .granted(bytes: bytes)
            self.resume()
        }
    }

    private func dispatch(_ frame: ByteBuffer) {
        var body = frame
        switch headers.read(&body, versions: settings.versions) {
        case .request(let apiKey, let version, let correlationID):
            let request = ReceivedRequest(
                apiKey: apiKey, version: version, correlationID: correlationID, clientID: headers.clientID, body: body,
                connection: self, slot: reserveSlot(for: frame))
            dispatcher.requestReceived(request)
        case .unservedVersion(let apiKey, let version, let served, let correlationID):
            refuse(apiKey, version: version, served: served, correlationID: correlationID, frame: frame)
        case .unreadable(let reason): closeOnLoop(.refused(reason))
        }
    }

    /// From here on the slot answers for the request's bytes.
    private func reserveSlot(for frame: ByteBuffer) -> UInt64 {
        admission = .none
        return slots.reserve(requestBytes: frame.readableBytes)
    }

    /// An ApiVersions of a version from the future is answered in v0 with error 35 and what is served, so that the client can ask again (KIP-511);
    /// for any other API nothing that the client would understand can be said.
    private func refuse(
        _ apiKey: ApiKey, version: Int16, served: ClosedRange<Int16>, correlationID: Int32, frame: ByteBuffer
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
        complete(reserveSlot(for: frame), with: .bytes(buffer))
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
        let bytes = slots.fill(completion.slot, with: completion.frame)
        settings.budget?.giveBack(bytes)
    }

    private func answersCompleted() {
        guard let context, closeReason == nil else { return }
        while let response = slots.popReady() {
            if let response { write(response, context: context) }
        }
        copyFiles()
        // Within a read cycle one flush at its end serves all.
        if !isInReadCycle { flushIfNeeded() }
        resume()
    }

    private func write(_ frame: ResponseFrame, context: ChannelHandlerContext) {
        switch frame {
        case .bytes(let buffer): writePart(.bytes(buffer), context: context)
        case .parts(let parts): for part in parts { writePart(part, context: context) }
        }
    }

    private func writePart(_ part: ResponsePart, context: ChannelHandlerContext) {
        // What follows a file that is copied waits behind it.
        guard copies.isEmpty, !isReadingFile else { return copies.append(part) }
        switch part {
        case .bytes(let buffer): put(.byteBuffer(buffer), context: context)
        case .file(let slice):
            if let descriptor = slice.file.descriptor, !copiesFiles {
                send(slice, of: descriptor, context: context)
            } else {
                copies.append(part)
            }
        }
    }

    private func send(_ slice: FileSlice, of descriptor: CInt, context: ChannelHandlerContext) {
        let handle = NIOFileHandle(_deprecatedTakingOwnershipOfDescriptor: descriptor)
        let position = Int(slice.position)
        let region = FileRegion(fileHandle: handle, readerIndex: position, endIndex: position + slice.byteCount)
        let sent = context.eventLoop.makePromise(of: Void.self)
        sent.futureResult.whenComplete { _ in
            // The file owns its descriptor; it lives until here, so that the number can't come to mean another file.
            _ = try? handle.takeDescriptorOwnership()
            withExtendedLifetime(slice.file) {}
        }
        put(.fileRegion(region), promise: sent, context: context)
    }

    /// A write may change whether the channel is writable, at once, and what hears of that may flush.
    private func put(_ data: IOData, promise: EventLoopPromise<Void>? = nil, context: ChannelHandlerContext) {
        context.write(wrapOutboundOut(data), promise: promise)
        hasUnflushed = true
    }

    /// Sends what waits to be copied, as long as the peer takes it.
    private func copyFiles() {
        guard !isCopying else { return }
        isCopying = true
        defer { isCopying = false }
        while let context, closeReason == nil, !isReadingFile, context.channel.isWritable, let part = copies.next() {
            switch part {
            case .bytes(let buffer): put(.byteBuffer(buffer), context: context)
            case .file(let piece): copy(piece, context: context)
            }
        }
    }

    /// From memory here and now; from the disk on a thread that may wait for it.
    private func copy(_ piece: FileSlice, context: ChannelHandlerContext) {
        let allocator = context.channel.allocator
        if let reads = settings.fileReads, !piece.isInMemory {
            isReadingFile = true
            let isQueued = reads.submit(byteCount: piece.byteCount, for: self) {
                let contents = piece.contents(allocator: allocator)
                self.eventLoop.execute { self.fileRead(contents) }
            }
            if isQueued { return }
            // Too many wait: late, but never forgotten.
            isReadingFile = false
        }
        writeCopied(piece.contents(allocator: allocator), context: context)
    }

    private func fileRead(_ contents: Result<ByteBuffer, TransportFailure>) {
        isReadingFile = false
        guard let context, closeReason == nil else { return }
        lastMoved = eventLoop.now
        writeCopied(contents, context: context)
        copiesContinue()
    }

    private func writeCopied(_ contents: Result<ByteBuffer, TransportFailure>, context: ChannelHandlerContext) {
        switch contents {
        case .success(let buffer):
            put(.byteBuffer(buffer), context: context)
            // Only what is flushed counts for whether the peer takes more.
            flushIfNeeded()
        case .failure(let failure): closeOnLoop(.failed(failure.message))
        }
    }

    private func copiesContinue() {
        copyFiles()
        if !isInReadCycle { flushIfNeeded() }
        resume()
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
        if copies.isEmpty { resume() } else { copiesContinue() }
        context.fireChannelWritabilityChanged()
    }

    // MARK: The end

    private func scheduleCheck(after delay: Duration) {
        let delay = min(delay, settings.receiveMax)
        timer = eventLoop.scheduleTask(in: .nanoseconds(delay.nanoseconds)) { [weak self] in self?.check() }
    }

    /// One timer looks after both deadlines.
    private func check() {
        guard closeReason == nil else { return }
        let now = eventLoop.now
        if !isLetIn {
            let left = Duration.nanoseconds((openedAt - now).nanoseconds) + settings.authenticationMax
            guard left > .zero else { return closeOnLoop(.refused(lateText)) }
            return scheduleCheck(after: left)
        }
        if !mayReceive {
            // It is not the peer that lets the request wait.
            if partialSince != nil { partialSince = now }
        } else if let partialSince, now - partialSince >= .nanoseconds(settings.receiveMax.nanoseconds) {
            return closeOnLoop(
                .refused(
                    "a request was begun and did not arrive in full within \(settings.receiveMax) (limits: request_receive)"
                ))
        }
        let idle = Duration.nanoseconds((now - lastMoved).nanoseconds)
        // While an answer is being made it is not the peer that idles.
        if slots.waitingCount > 0 || isWaitingForBudget { return scheduleCheck(after: settings.idleMax) }
        if idle >= settings.idleMax { return closeOnLoop(.idle) }
        scheduleCheck(after: settings.idleMax - idle)
    }

    private var lateText: String {
        switch entry {
        case .securing: "no TLS handshake within \(settings.authenticationMax) (limits: authentication)"
        case .authenticating, .letIn: "not authenticated within \(settings.authenticationMax) (limits: authentication)"
        }
    }

    public func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if let failure = error as? TransportFailure {
            closeOnLoop(.refused(failure.message))
        } else {
            closeOnLoop(.failed("\(error)"))
        }
    }

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
        timer?.cancel()
        timer = nil
        giveBudgetBack()
        dispatcher.connectionClosed(self, reason: reason)
    }

    /// Requests that are still worked on hold their bytes a little longer, yet nobody says when.
    private func giveBudgetBack() {
        guard let budget = settings.budget else { return }
        budget.giveBack(slots.waitingBytes)
        switch admission {
        case .none: break
        case .waiting(let bytes): budget.withdraw(self, bytes: bytes)
        case .granted(let bytes): budget.giveBack(bytes)
        }
        admission = .none
    }
}
