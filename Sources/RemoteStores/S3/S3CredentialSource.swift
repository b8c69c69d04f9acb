import Base
import Exports
import Synchronization
import SystemPackage

/// Where the keys of requests come from: the settings, or a file that others renew (`[profile]`, `aws_access_key_id = …`, as AWS's own tools write it).
///
/// The file is read at the first request, and again when a store says that the keys are over.
final class S3CredentialSource: Sendable {
    private let fixed: S3Settings.Credentials?
    private let file: FilePath?
    private let profile: String
    private let fileSystem: any FileSystem
    private let read = Mutex<S3Settings.Credentials?>(nil)

    private static let bytesMax = ByteCount.kib(256)

    init(_ settings: S3Settings, fileSystem: any FileSystem) {
        fixed = settings.credentials
        file = settings.credentialsFile
        profile = settings.profile
        self.fileSystem = fileSystem
    }

    /// Nil where requests are not signed.
    func current() throws(ExportError) -> S3Settings.Credentials? {
        guard let file else { return fixed }
        if let known = read.withLock({ $0 }) { return known }
        let found = try load(file)
        read.withLock { $0 = found }
        return found
    }

    /// Reads the file again. True where it says something else than before.
    func renew() throws(ExportError) -> Bool {
        guard let file else { return false }
        let found = try load(file)
        return read.withLock { known in
            defer { known = found }
            return known != found
        }
    }

    private func load(_ file: FilePath) throws(ExportError) -> S3Settings.Credentials {
        let bytes: [UInt8]?
        do throws(FileError) { bytes = try fileSystem.contents(of: file, bytesMax: Self.bytesMax) } catch {
            throw ExportError(.store, "keys can't be read: \(error)", cause: error)
        }
        let text = String(decoding: bytes ?? [], as: UTF8.self)
        guard let credentials = Self.credentials(in: text, profile: profile) else {
            throw ExportError(
                .store, "\(file) has no aws_access_key_id and aws_secret_access_key under [\(profile)]")
        }
        return credentials
    }

    static func credentials(in text: String, profile: String) -> S3Settings.Credentials? {
        var values: [String: String] = [:]
        var isInside = false
        for line in text.split(whereSeparator: \.isNewline) {
            let line = trimmed(line)
            if line.hasPrefix("[") {
                isInside = line.hasSuffix("]") && trimmed(line.dropFirst().dropLast()) == profile
            } else if isInside, !line.hasPrefix("#"), !line.hasPrefix(";"), let equals = line.firstIndex(of: "=") {
                values[trimmed(line[..<equals]).lowercased()] = trimmed(line[line.index(after: equals)...])
            }
        }
        guard let accessKey = values["aws_access_key_id"], let secretKey = values["aws_secret_access_key"],
            !accessKey.isEmpty, !secretKey.isEmpty
        else { return nil }
        return S3Settings.Credentials(
            accessKey: accessKey, secretKey: secretKey,
            sessionToken: values["aws_session_token"].flatMap { $0.isEmpty ? nil : $0 })
    }

    private static func trimmed(_ text: some StringProtocol) -> String {
        String(text.drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed())
    }
}
