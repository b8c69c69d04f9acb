public import SystemPackage

#if canImport(Glibc)
    import Glibc
#endif

/// A call to the file system that failed: what was tried, on which path, and why.
public struct FileError: Error, Sendable, Equatable, CustomStringConvertible {
    public enum Code: Sendable, Equatable {
        case noSuchFile
        case alreadyExists
        case noSpace
        case readOnly
        case permissionDenied
        case inputOutput
        case tooManyOpenFiles
        case locked
        case tooLarge
        case closed
        /// What the file holds is not what its format says.
        case damaged
        /// The simulation cut the run here: the process is dead, and every later call fails alike.
        case crashed
        /// Another `errno`.
        case other(CInt)
    }

    public enum Operation: String, Sendable {
        case open, status, list, createDirectory, removeDirectory, rename, link, unlink, syncDirectory, space, lock
        case read, write, sync, truncate, allocate
    }

    public var code: Code
    public var operation: Operation
    public var path: FilePath
    public var detail: String

    public init(_ code: Code, _ operation: Operation, _ path: FilePath, detail: String = "") {
        self.code = code
        self.operation = operation
        self.path = path
        self.detail = detail
    }

    init(errno number: CInt, _ operation: Operation, _ path: FilePath) {
        let code: Code =
            switch number {
            case ENOENT: .noSuchFile
            case EEXIST: .alreadyExists
            case ENOSPC, EDQUOT: .noSpace
            case EROFS: .readOnly
            case EACCES, EPERM: .permissionDenied
            case EIO: .inputOutput
            case EMFILE, ENFILE: .tooManyOpenFiles
            case EBADF: .closed
            default: .other(number)
            }
        self.init(code, operation, path, detail: String(cString: strerror(number)))
    }

    public var description: String {
        let reason = detail.isEmpty ? "\(code)" : detail
        return "\(operation.rawValue) \(path): \(reason)"
    }
}
