import Glibc

/// The few file operations that the generator needs, without Foundation.
public enum Folder {
    public struct Failure: Error, CustomStringConvertible {
        public let path: String
        public let code: Int32

        public var description: String { "\(path): \(String(cString: strerror(code)))" }
    }

    /// The files below a folder, with paths relative to `root`. A folder that does not exist is empty.
    public static func files(below folder: String, root: String) throws -> [Generator.File] {
        guard let directory = opendir("\(root)/\(folder)") else {
            if errno == ENOENT { return [] }
            throw Failure(path: "\(root)/\(folder)", code: errno)
        }
        defer { closedir(directory) }
        var files: [Generator.File] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name.hasPrefix(".") { continue }
            let path = "\(folder)/\(name)"
            if entry.pointee.d_type == UInt8(DT_DIR) {
                files += try self.files(below: path, root: root)
            } else {
                files.append(Generator.File(path: path, text: try read("\(root)/\(path)")))
            }
        }
        return files.sorted { $0.path < $1.path }
    }

    private static func read(_ path: String) throws -> String {
        guard let file = fopen(path, "r") else { throw Failure(path: path, code: errno) }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = fread(&chunk, 1, chunk.count, file)
            if count == 0 { break }
            bytes += chunk[0..<count]
        }
        if ferror(file) != 0 { throw Failure(path: path, code: EIO) }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Writes a file, making the folder it stands in.
    public static func write(_ file: Generator.File, root: String) throws {
        let path = "\(root)/\(file.path)"
        var folder = root
        for part in file.path.split(separator: "/").dropLast() {
            folder += "/\(part)"
            if mkdir(folder, 0o777) != 0 && errno != EEXIST { throw Failure(path: folder, code: errno) }
        }
        guard let stream = fopen(path, "w") else { throw Failure(path: path, code: errno) }
        let bytes = Array(file.text.utf8)
        let count = fwrite(bytes, 1, bytes.count, stream)
        let closed = fclose(stream)
        if count != bytes.count || closed != 0 { throw Failure(path: path, code: EIO) }
    }

    public static func remove(_ path: String, root: String) throws {
        if unlink("\(root)/\(path)") != 0 { throw Failure(path: path, code: errno) }
    }
}
