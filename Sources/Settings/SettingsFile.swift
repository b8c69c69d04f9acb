import Base
import SystemPackage

/// Reads a configuration file whole: parse, then interpolate.
public enum SettingsFile {
    public static func load(
        _ path: FilePath, fileSystem: any FileSystem, environment: [String: String]
    ) throws(SettingsError) -> YAMLNode {
        let place = Place(file: path.string, line: 0, column: 0)
        let bytes: [UInt8]
        do throws(FileError) {
            guard let read = try fileSystem.contents(of: path, bytesMax: YAMLLimits.fileBytesMax) else {
                throw FileError(.noSuchFile, .open, path, detail: "there is no such file")
            }
            bytes = read
        } catch { throw SettingsError(error.detail, at: place) }
        let node = try YAMLNode.parse(String(decoding: bytes, as: UTF8.self), file: path.string)
        return try Interpolation(environment: environment, fileSystem: fileSystem).fill(node)
    }
}
