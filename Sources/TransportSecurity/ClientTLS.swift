import Base
public import KafkaConnection
public import NIOCore
import NIOSSL
import Synchronization

/// TLS 1.2 and 1.3 for a client's connections. Its files are looked at before each connection, so that renewed ones are used by the next.
public final class ClientTLS: ClientTransportSecurity {
    private struct State {
        var context: NIOSSLContext?
        var marks: [FileStatus?] = []
    }

    private let settings: ClientTLSSettings
    private let files: PEMFiles
    private let state = Mutex(State())

    public init(_ settings: ClientTLSSettings, fileSystem: any FileSystem = PosixFileSystem()) {
        self.settings = settings
        files = PEMFiles(fileSystem)
    }

    /// Throws where the files can't be used; for a start that should fail at once.
    public func check() throws(TransportFailure) { _ = try context() }

    public func prepare(for server: Address) throws(TransportFailure) -> @Sendable (any Channel) throws -> Void {
        let context = try context()
        let name = settings.serverName ?? server.host
        // An address is no server name; it is compared with the certificate's addresses.
        let isAddress = settings.serverName == nil && (try? SocketAddress(ipAddress: name, port: 0)) != nil
        return { channel in
            let handler: NIOSSLClientHandler
            do { handler = try NIOSSLClientHandler(context: context, serverHostname: isAddress ? nil : name) } catch {
                throw TransportFailure("'\(name)' can't be the name of a TLS server")
            }
            try channel.pipeline.syncOperations.addHandler(handler)
            try channel.pipeline.syncOperations.addHandler(TransportWatch(side: .client) { nil })
        }
    }

    private func context() throws(TransportFailure) -> NIOSSLContext {
        let marks = files.marks(of: [settings.ca, settings.certificate, settings.key])
        let known = state.withLock { $0.marks == marks ? $0.context : nil }
        if let known { return known }
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.minimumTLSVersion = .tlsv12
        if let path = settings.ca { configuration.trustRoots = .certificates(try files.certificates(in: path)) }
        if !settings.verifiesHostname { configuration.certificateVerification = .noHostnameVerification }
        if let certificate = settings.certificate, let key = settings.key {
            configuration.certificateChain = try files.certificates(in: certificate).map { .certificate($0) }
            configuration.privateKey = .privateKey(try files.key(in: key))
        }
        let context: NIOSSLContext
        do { context = try NIOSSLContext(configuration: configuration) } catch {
            throw TransportFailure(
                "the files of tls (\([settings.ca, settings.certificate, settings.key].compactMap { $0 }.joined(separator: ", "))) "
                    + "can't be used together: \(TLSWords.reason(error))")
        }
        state.withLock {
            $0.context = context
            $0.marks = marks
        }
        return context
    }
}
