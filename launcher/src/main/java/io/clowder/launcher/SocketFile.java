// SPDX-License-Identifier: Apache-2.0
package io.clowder.launcher;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;

/**
 * Where a node's shell listens: {@code shell.sock} in its directory, for the owner alone. The path
 * of a Unix domain socket has room for about a hundred bytes; in a directory with a longer name the
 * socket is in a folder of its own below the temporary one, and {@code shell.path} says where.
 */
final class SocketFile {
  /** Below the 104 bytes of the BSDs and the 108 of Linux. */
  static final int PATH_BYTES_MAX = 100;

  private static final FileAttribute<Set<PosixFilePermission>> FOLDER_MODE =
      PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"));
  private static final Set<PosixFilePermission> SOCKET_MODE =
      PosixFilePermissions.fromString("rw-------");
  private static final String TEMPORARY = "clowder-";

  private final Path socket;
  private final Path pointer;

  SocketFile(Path nodeDir) {
    socket = nodeDir.toAbsolutePath().normalize().resolve("shell.sock");
    pointer = socket.resolveSibling("shell.path");
  }

  /**
   * Listens, after removing what a killed node left; the file has its final mode from the start.
   */
  ServerSocketChannel listen() throws IOException {
    remove();
    if (!FileSystems.getDefault().supportedFileAttributeViews().contains("posix")) {
      throw new IOException(socket + ": the file system has no permissions for the shell's socket");
    }
    if (tooLong(socket)) {
      Path place = Files.createTempDirectory(TEMPORARY, FOLDER_MODE).resolve("shell.sock");
      if (tooLong(place)) {
        Files.delete(place.getParent());
        throw new IOException(
            socket + ": too long for a socket, and so is " + place + "; use a shorter path");
      }
      ServerSocketChannel channel = bind(place);
      Path draft = pointer.resolveSibling("shell.path.new");
      Files.writeString(draft, place.toString());
      Files.move(draft, pointer, StandardCopyOption.ATOMIC_MOVE);
      return channel;
    }
    // Made in a folder that nobody else may enter, so that it is never seen with another mode.
    Path draft = socket.resolveSibling(".sh").resolve("s");
    Files.deleteIfExists(draft);
    Files.deleteIfExists(draft.getParent());
    Files.createDirectory(draft.getParent(), FOLDER_MODE);
    ServerSocketChannel channel = bind(draft);
    Files.move(draft, socket, StandardCopyOption.ATOMIC_MOVE);
    Files.delete(draft.getParent());
    return channel;
  }

  /** Where to connect; the file may be missing, or left by a node that was killed. */
  UnixDomainSocketAddress address() throws IOException {
    if (!tooLong(socket)) {
      return UnixDomainSocketAddress.of(socket);
    }
    try {
      return UnixDomainSocketAddress.of(Path.of(Files.readString(pointer)));
    } catch (NoSuchFileException e) {
      throw new IOException(socket.getParent() + ": the node's shell is not open", e);
    }
  }

  /** Removes the socket, wherever it is. */
  void remove() throws IOException {
    Files.deleteIfExists(socket);
    if (Files.exists(pointer)) {
      Path place = Path.of(Files.readString(pointer));
      Path folder = place.getParent();
      if (folder != null && folder.getFileName().toString().startsWith(TEMPORARY)) {
        Files.deleteIfExists(place);
        Files.deleteIfExists(folder);
      }
      Files.delete(pointer);
    }
  }

  private static ServerSocketChannel bind(Path path) throws IOException {
    ServerSocketChannel channel = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
    try {
      channel.bind(UnixDomainSocketAddress.of(path));
      Files.setPosixFilePermissions(path, SOCKET_MODE);
      return channel;
    } catch (IOException e) {
      channel.close();
      throw e;
    }
  }

  private static boolean tooLong(Path path) {
    return path.toString().getBytes(StandardCharsets.UTF_8).length > PATH_BYTES_MAX;
  }
}
