import Base
import SystemPackage

/// Fills `${env:NAME}`, `${env:NAME:-default}` and `${file:PATH}` into the scalars of a configuration; `$$` writes one `$`.
///
/// Other `$` stand for themselves (an nginx `log_format` is full of them). A file's last newline is dropped, so that a secret
/// can be kept in a file that an editor wrote.
public struct Interpolation: Sendable {
    public static let secretBytesMax = ByteCount.kib(64)

    private let environment: [String: String]
    private let fileSystem: any FileSystem

    public init(environment: [String: String], fileSystem: any FileSystem) {
        self.environment = environment
        self.fileSystem = fileSystem
    }

    public func fill(_ node: YAMLNode) throws(SettingsError) -> YAMLNode {
        switch node.value {
        case .scalar(let text, let isPlain):
            guard text.contains("$") else { return node }
            var filled = YAMLNode(.scalar(try fill(text, at: node.place), isPlain: isPlain), at: node.place)
            if text.contains("${env:") || text.contains("${file:") { filled.reference = text }
            return filled
        case .sequence(let elements):
            var filled: [YAMLNode] = []
            for element in elements { filled.append(try fill(element)) }
            return YAMLNode(.sequence(filled), at: node.place)
        case .mapping(let entries):
            var filled: [YAMLNode.Entry] = []
            for var entry in entries {
                entry.value = try fill(entry.value)
                filled.append(entry)
            }
            return YAMLNode(.mapping(filled), at: node.place)
        }
    }

    func fill(_ text: String, at place: Place) throws(SettingsError) -> String {
        var result = ""
        var rest = Substring(text)
        while let dollar = rest.firstIndex(of: "$") {
            result += rest[..<dollar]
            rest = rest[dollar...]
            if rest.hasPrefix("$$") {
                result += "$"
                rest = rest.dropFirst(2)
            } else if rest.hasPrefix("${env:") || rest.hasPrefix("${file:") {
                guard let end = rest.firstIndex(of: "}") else {
                    throw SettingsError("'\(rest.prefix(40))' has no closing '}'", at: place)
                }
                result += try resolve(rest[rest.index(rest.startIndex, offsetBy: 2)..<end], at: place)
                rest = rest[rest.index(after: end)...]
            } else {
                result += "$"
                rest = rest.dropFirst()
            }
        }
        return result + rest
    }

    private func resolve(_ reference: Substring, at place: Place) throws(SettingsError) -> String {
        if reference.hasPrefix("file:") {
            let path = String(reference.dropFirst("file:".count))
            do throws(FileError) {
                guard
                    let bytes = try fileSystem.contents(of: FilePath(path), bytesMax: Self.secretBytesMax)
                else { throw FileError(.noSuchFile, .open, FilePath(path), detail: "there is no such file") }
                let text = String(decoding: bytes, as: UTF8.self)
                return text.hasSuffix("\n") ? String(text.dropLast()) : text
            } catch { throw SettingsError("can't read \(path): \(error.detail)", at: place) }
        }
        let body = reference.dropFirst("env:".count)
        let name: Substring
        let fallback: Substring?
        if let separator = body.firstRange(ofText: ":-") {
            name = body[..<separator.lowerBound]
            fallback = body[separator.upperBound...]
        } else {
            name = body
            fallback = nil
        }
        if let value = environment[String(name)], !(value.isEmpty && fallback != nil) { return value }
        guard let fallback else {
            throw SettingsError(
                "environment variable '\(name)' is not set; give a default with ${env:\(name):-…}", at: place)
        }
        return String(fallback)
    }
}

extension Substring {
    fileprivate func firstRange(ofText text: String) -> Range<Index>? {
        var index = startIndex
        while index < endIndex {
            if self[index...].hasPrefix(text) { return index..<self.index(index, offsetBy: text.count) }
            index = self.index(after: index)
        }
        return nil
    }
}
