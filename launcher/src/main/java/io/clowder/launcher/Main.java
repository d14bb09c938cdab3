// SPDX-License-Identifier: Apache-2.0
package io.clowder.launcher;

import java.io.IOException;
import java.io.PrintWriter;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.util.List;
import java.util.jar.JarFile;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.UnmatchedArgumentException;

/**
 * The {@code clowder} command line. Exit status: 0 done, 1 failed, 2 bad usage or configuration.
 */
@Command(
    name = "clowder",
    description = "A cluster of Felix containers on this machine, and one node of it anywhere.",
    mixinStandardHelpOptions = true,
    scope = ScopeType.INHERIT,
    versionProvider = Main.Version.class,
    synopsisSubcommandLabel = "COMMAND",
    subcommands = {
      UpCommand.class,
      StatusCommand.class,
      ShellCommand.class,
      GroupCommand.Swap.class,
      GroupCommand.Members.class,
      GroupCommand.Add.class,
      GroupCommand.Remove.class,
      StopCommand.class,
      StartCommand.class,
      KillCommand.class,
      DownCommand.class,
      NodeCommand.class,
      BenchCommand.class
    })
public final class Main {
  private Main() {}

  /** Runs one command and exits with its status. */
  public static void main(String[] args) {
    System.exit(commandLine().execute(args));
  }

  static CommandLine commandLine() {
    CommandLine line = new CommandLine(new Main());
    line.setCaseInsensitiveEnumValuesAllowed(true);
    line.setParameterExceptionHandler((failure, args) -> wrongUsage(failure));
    line.setExecutionExceptionHandler((failure, at, parsed) -> failed(failure, at));
    // Words after the shell command are the node's, whatever they look like.
    line.getSubcommands().get("sh").setStopAtPositional(true);
    return line;
  }

  private static int wrongUsage(ParameterException failure) {
    CommandLine at = failure.getCommandLine();
    String message = failure.getMessage().lines().findFirst().orElse("wrong usage");
    if (failure instanceof UnmatchedArgumentException unmatched) {
      List<String> near = unmatched.getSuggestions();
      if (!near.isEmpty() && near.size() <= 3) {
        message += "; did you mean " + String.join(" or ", near) + "?";
      }
    }
    at.getErr()
        .println(
            "clowder: " + message + " (try: " + at.getCommandSpec().qualifiedName() + " --help)");
    return 2;
  }

  private static int failed(Exception failure, CommandLine at) {
    PrintWriter err = at.getErr();
    if (failure instanceof CommandFailure expected) {
      err.println("clowder: " + expected.getMessage());
      return expected.status();
    }
    if (failure instanceof IOException problem) {
      err.println("clowder: " + FileProblem.sentence(problem));
      return 1;
    }
    err.println(
        "clowder: unexpected " + failure.getClass().getName() + ": " + failure.getMessage());
    return 1;
  }

  /** Reads the version from the manifest of the jar that this class is in. */
  static final class Version implements CommandLine.IVersionProvider {
    @Override
    public String[] getVersion() throws IOException, URISyntaxException {
      Path code = Path.of(Main.class.getProtectionDomain().getCodeSource().getLocation().toURI());
      String version = "(not packaged)";
      if (code.toFile().isFile()) {
        try (JarFile jar = new JarFile(code.toFile())) {
          version = jar.getManifest().getMainAttributes().getValue("Bundle-Version");
        }
      }
      return new String[] {"clowder " + version};
    }
  }
}
