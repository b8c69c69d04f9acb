import Base
public import KafkaConnection
public import NIOCore
import NIOSSL
import Synchronization

/// TLS 1.2 and 1.3 for the connections of a listener, from PEM files that may be replaced while it runs.
public final class ServerTLS: ServerTransportSecurity {
    /// The subject of a certificate (DER), as RFC 4514 writes it.
    public typealias SubjectReader = @Sendable (_ certificate: [UInt8]) -> String?

    private struct State {
        var context: NIOSSLContext?
        /// The files as they were when they were last read, also where they could not be used: the same failure is not told again.
        var marks: [FileStatus?]?
    }

    private let settings: ServerTLSSettings
    private let files: PEMFiles
    private let subject: SubjectReader?
    private let state = Mutex(State())

    /// Nothing is read before `refresh()`, which has to work once before a connection is made.
    public init(
        _ settings: ServerTLSSettings, fileSystem: any FileSystem = PosixFileSystem(), subject: SubjectReader? = nil
    ) {
        self.settings = settings
        self.subject = subject
        files = PEMFiles(fileSystem)
    }

    public func refresh() throws(TransportFailure) -> LoadedCertificate? {
        // Before the files are read: what changes meanwhile is seen the next time.
        let marks = files.marks(of: [settings.certificate, settings.key, settings.clientCA])
        let isKnown = state.withLock { state in
            defer { state.marks = marks }
            return state.marks == marks
        }
        guard !isKnown else { return nil }
        let chain = try files.certificates(in: settings.certificate)
        let key = try files.key(in: settings.key)
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key))
        configuration.minimumTLSVersion = .tlsv12
        if let path = settings.clientCA {
            configuration.trustRoots = .certificates(try files.certificates(in: path))
            switch settings.clientCertificates {
            case .required: configuration.certificateVerification = .noHostnameVerification
            case .requested: configuration.certificateVerification = .optionalVerification
            }
        }
        let context: NIOSSLContext
        do { context = try NIOSSLContext(configuration: configuration) } catch {
            throw TransportFailure(
                "\(settings.key) is not the key of the certificate in \(settings.certificate), or one of them can't be used: "
                    + TLSWords.reason(error))
        }
        state.withLock { $0.context = context }
        return LoadedCertificate(chain[0])
    }

    public func secure(_ channel: any Channel) throws {
        guard let context = state.withLock({ $0.context }) else {
            throw TransportFailure("no certificate was read yet")
        }
        let handler = NIOSSLServerHandler(context: context)
        let watch = TransportWatch(side: .server) { [subject] in
            guard let subject, let der = try? handler.peerCertificate?.toDERBytes() else { return nil }
            return subject(der)
        }
        try channel.pipeline.syncOperations.addHandler(handler)
        try channel.pipeline.syncOperations.addHandler(watch)
    }
}
