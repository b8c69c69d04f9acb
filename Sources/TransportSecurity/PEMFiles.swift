import Base
import KafkaConnection
import NIOSSL
import SystemPackage

/// PEM files that are read together, and what tells that one of them was replaced.
struct PEMFiles {
    /// A larger file is none.
    private static let bytesMax = ByteCount.mib(1)

    private let fileSystem: any FileSystem

    init(_ fileSystem: any FileSystem) { self.fileSystem = fileSystem }

    /// What stands at the paths now: it differs once a file was written, replaced or removed.
    func marks(of paths: [String?]) -> [FileStatus?] {
        paths.map { path in path.flatMap { try? fileSystem.status(FilePath($0)) } }
    }

    /// At least one certificate.
    func certificates(in path: String) throws(TransportFailure) -> [NIOSSLCertificate] {
        let bytes = try contents(of: path)
        do {
            let certificates = try NIOSSLCertificate.fromPEMBytes(bytes)
            if !certificates.isEmpty { return certificates }
        } catch {}
        throw TransportFailure("\(path) holds no certificate in PEM (-----BEGIN CERTIFICATE-----)")
    }

    func key(in path: String) throws(TransportFailure) -> NIOSSLPrivateKey {
        let bytes = try contents(of: path)
        do { return try NIOSSLPrivateKey(bytes: bytes, format: .pem) } catch {
            throw TransportFailure("\(path) holds no private key in PEM, or one with a passphrase")
        }
    }

    private func contents(of path: String) throws(TransportFailure) -> [UInt8] {
        do {
            if let bytes = try fileSystem.contents(of: FilePath(path), bytesMax: Self.bytesMax) { return bytes }
        } catch { throw TransportFailure("\(path) can't be read: \(error)") }
        throw TransportFailure("there is no file \(path)")
    }
}

extension LoadedCertificate {
    init(_ certificate: NIOSSLCertificate) {
        var names = certificate._subjectAlternativeNames().compactMap { name -> String? in
            switch name.nameType {
            case .dnsName: String(decoding: name.contents, as: UTF8.self)
            case .ipAddress where name.contents.count == 4: name.contents.map { "\($0)" }.joined(separator: ".")
            default: nil
            }
        }
        if names.count > 8 { names = names.prefix(8) + ["…"] }
        self.init(
            name: names.isEmpty ? "a certificate without names" : names.joined(separator: ", "),
            expires: Timestamp(milliseconds: Int64(certificate.notValidAfter) * 1000))
    }
}
