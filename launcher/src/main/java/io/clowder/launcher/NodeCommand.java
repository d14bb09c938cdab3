// SPDX-License-Identifier: Apache-2.0
package io.clowder.launcher;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.BundleException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code clowder node}: one node in this process. */
@Command(
    name = "node",
    description = {
      "Runs one node in the foreground, until it is stopped by SIGTERM or from its shell.",
      "Start it with the same --members on every machine; they, unless the file of --config names"
          + " a cluster, are also the cluster's name.",
      "With --join it waits to be added to a cluster that runs: clowder add ID=HOST:PORT there. The"
          + " --members are those that the cluster was started with, and this node."
    })
final class NodeCommand implements Callable<Integer> {
  private static final Duration REQUEST_TIME = Duration.ofSeconds(10);
  private static final Duration START_TIME = Duration.ofSeconds(20);

  @Option(
      names = "--dir",
      required = true,
      paramLabel = "DIR",
      description = "The node's directory; made if it is not there.")
  private Path dir = Path.of("");

  @Option(names = "--id", required = true, paramLabel = "ID", description = "Which member it is.")
  private String id = "";

  @Option(
      names = "--listen",
      required = true,
      paramLabel = "HOST:PORT",
      description = "Where it listens for the others; not loopback only with TLS in --config.")
  private String listen = "";

  @Option(
      names = "--members",
      required = true,
      paramLabel = "n1=HOST:PORT,…",
      description = "All nodes of the cluster, this one among them.")
  private String members = "";

  @Option(
      names = "--protocol",
      paramLabel = "NAME",
      description = "What a new cluster starts with; raft if nothing else is configured.")
  private @Nullable String protocol;

  @Option(names = "--join", description = "Without state, wait to be added to a running cluster.")
  private boolean join;

  @Option(
      names = "--config",
      paramLabel = "FILE",
      description = {
        "Properties: cluster=NAME, and settings by PID and key, such as",
        "io.clowder.transport.tls.certificate=FILE"
      })
  private @Nullable Path config;

  @Override
  public Integer call() throws IOException, CommandFailure, InterruptedException, BundleException {
    Distribution distribution = Distribution.current();
    NodeSettings settings =
        NodeSettings.parse(
            id, listen, members, protocol, join, NodeSettings.file(config), distribution::settings);
    NodeDirectory directory = new NodeDirectory(dir.toAbsolutePath().normalize());
    NodeDirectory.requireUsable(directory.root());
    checkProtocol(distribution, directory);
    FileChannel taken;
    try {
      taken = directory.take();
      directory.prepare(distribution.etc().resolve("node"));
      settings.apply(directory);
      distribution.settings().check(directory);
    } catch (IOException e) {
      throw CommandFailure.usage(FileProblem.sentence(e));
    }
    System.setProperty("clowder.dir", directory.root().toString());
    System.setProperty(
        "logback.configurationFile", distribution.etc().resolve("logback.xml").toString());
    // The framework's own shell has no terminal, and must not look for one or unpack native code.
    for (String provider : List.of("ffm", "jni", "jna", "jansi", "exec")) {
      System.setProperty("org.jline.terminal." + provider, "false");
    }
    System.setProperty("org.jline.terminal.dumb", "true");
    serve(settings, directory, taken, container(directory, distribution));
    return 0;
  }

  private static Container container(NodeDirectory directory, Distribution distribution)
      throws IOException, CommandFailure {
    try {
      return Container.start(directory, distribution);
    } catch (BundleException e) {
      String cause = e.getCause() instanceof IOException file ? FileProblem.sentence(file) : "";
      throw CommandFailure.failed(
          "the framework did not start: "
              + CommandFailure.sentence(e)
              + (cause.isEmpty() ? "" : ": " + cause));
    }
  }

  private void checkProtocol(Distribution distribution, NodeDirectory directory)
      throws IOException, CommandFailure {
    List<String> known = distribution.protocols();
    boolean plugins =
        Files.isDirectory(directory.plugins())
            && !Distribution.files(directory.plugins(), "*.jar").isEmpty();
    if (protocol != null && !known.contains(protocol) && !plugins) {
      throw CommandFailure.usage(
          "--protocol "
              + protocol
              + ": this distribution has "
              + String.join(", ", known)
              + "; others come as bundles in "
              + directory.plugins());
    }
  }

  private static void serve(
      NodeSettings settings, NodeDirectory directory, FileChannel taken, Container container)
      throws IOException, CommandFailure, InterruptedException, BundleException {
    Logger log = LoggerFactory.getLogger(NodeCommand.class);
    // Not on the console, which gets the same sentence as the command's last words.
    Logger fileLog = LoggerFactory.getLogger(NodeCommand.class.getName() + ".file");
    AtomicBoolean ended = new AtomicBoolean();
    Runtime.getRuntime()
        .addShutdownHook(
            new Thread(() -> stopOnSignal(container, directory, taken, ended), "stop"));
    ShellServer shell =
        ShellServer.open(directory.socket(), new GogoShell(container.framework()), REQUEST_TIME);
    try {
      container.awaitComponents(START_TIME);
      directory.started();
      log.info(
          "Node {} of {} runs, listening on {}",
          settings.id(),
          settings.cluster(),
          settings.listen());
      container.awaitStop();
    } catch (CommandFailure e) {
      fileLog.error("Not started: {}", e.getMessage());
      ended.set(true);
      // What serves until it is stopped is not to be taken for a node that has started.
      shell.close();
      container.stop();
      directory.leave(taken);
      throw e;
    } finally {
      shell.close();
    }
    if (ended.compareAndSet(false, true)) {
      directory.leave(taken);
    } else {
      // A signal came: its hook ends the process.
      Thread.currentThread().join();
    }
  }

  private static void stopOnSignal(
      Container container, NodeDirectory directory, FileChannel taken, AtomicBoolean ended) {
    if (!ended.compareAndSet(false, true)) {
      return;
    }
    try {
      container.stop();
      directory.socket().remove();
      directory.leave(taken);
    } catch (BundleException | IOException | InterruptedException e) {
      LoggerFactory.getLogger(NodeCommand.class).warn("Stopping was not clean", e);
    }
    // A stop that was asked for is a success, which the platform would report as 143.
    Runtime.getRuntime().halt(0);
  }
}
