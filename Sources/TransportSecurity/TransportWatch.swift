import KafkaConnection
import NIOCore
import NIOSSL
import NIOTLS

/// Stands behind the TLS handler and tells what it does in the words of `KafkaConnection`, which knows no TLS library.
final class TransportWatch: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    enum Side: Sendable {
        case server
        case client
    }

    private let side: Side
    private let peerName: () -> String?

    init(side: Side, peerName: @escaping () -> String?) {
        self.side = side
        self.peerName = peerName
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard case .handshakeCompleted = event as? TLSUserEvent else {
            return context.fireUserInboundEventTriggered(event)
        }
        context.fireUserInboundEventTriggered(TransportSecured(peerName: peerName()))
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // The channel's end follows and is told; a peer that says no farewell is no news.
        if case .uncleanShutdown = error as? NIOSSLError { return }
        if side == .server, TLSWords.isHangUp(error) { return }
        guard TLSWords.isTLS(error) else { return context.fireErrorCaught(error) }
        context.fireErrorCaught(TransportFailure(TLSWords.failure(error, isServer: side == .server)))
    }
}
