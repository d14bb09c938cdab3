// SPDX-License-Identifier: Apache-2.0
package io.clowder.storage;

import java.io.IOException;
import java.nio.file.Path;

/** A process that locks a directory and holds it until its input ends. */
final class DirectoryHolder {
  private DirectoryHolder() {}

  /** Takes the directory; prints one line when it has it. */
  public static void main(String[] args) throws IOException {
    try (AutoCloseable held = DirectoryLock.of(Path.of(args[0]))) {
      System.out.println("held " + held.getClass().getSimpleName());
      if (System.in.read() >= 0) {
        throw new IOException("input is not expected");
      }
    } catch (IOException e) {
      throw e;
    } catch (Exception e) {
      throw new IOException(e);
    }
  }
}
