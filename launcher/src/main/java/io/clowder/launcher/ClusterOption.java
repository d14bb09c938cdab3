// SPDX-License-Identifier: Apache-2.0
package io.clowder.launcher;

import java.io.IOException;
import java.nio.file.Path;
import picocli.CommandLine.Option;

/** {@code --dir}, for the commands that work on a cluster of this machine. */
final class ClusterOption {
  @Option(
      names = "--dir",
      paramLabel = "DIR",
      defaultValue = ".clowder",
      description = "The cluster's directory (default: ${DEFAULT-VALUE}).")
  private Path dir = Path.of(".clowder");

  Path dir() throws CommandFailure {
    if (dir.toString().isEmpty()) {
      throw CommandFailure.usage("--dir is empty; name a directory");
    }
    return dir;
  }

  Cluster open() throws IOException, CommandFailure {
    return Cluster.open(dir());
  }
}
