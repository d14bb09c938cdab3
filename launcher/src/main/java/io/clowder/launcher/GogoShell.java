// SPDX-License-Identifier: Apache-2.0
package io.clowder.launcher;

import java.io.ByteArrayInputStream;
import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.apache.felix.service.command.CommandProcessor;
import org.apache.felix.service.command.CommandSession;
import org.apache.felix.service.command.Converter;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.BundleContext;
import org.osgi.framework.ServiceReference;
import org.osgi.framework.launch.Framework;

/**
 * Runs lines in the framework's Gogo shell, each in a session of its own. Gogo's own commands, such
 * as {@code stop}, say on standard error what went wrong and return as if nothing had: so a line
 * that wrote there has failed.
 */
final class GogoShell implements ShellServer.Shell {
  private final Framework framework;

  GogoShell(Framework framework) {
    this.framework = framework;
  }

  @Override
  public int execute(String line, PrintStream out, PrintStream err) {
    // Looked up each time: the bundle may be updated between two lines.
    BundleContext context = framework.getBundleContext();
    ServiceReference<CommandProcessor> reference =
        context == null ? null : context.getServiceReference(CommandProcessor.class);
    CommandProcessor processor = reference == null ? null : context.getService(reference);
    if (processor == null) {
      err.println("the shell's bundle org.apache.felix.gogo.runtime is not active on this node");
      return 1;
    }
    try {
      return run(processor, line, out, err);
    } finally {
      context.ungetService(reference);
    }
  }

  private static int run(
      CommandProcessor processor, String line, PrintStream out, PrintStream err) {
    Watched watched = new Watched(err);
    PrintStream errors = new PrintStream(watched, true, StandardCharsets.UTF_8);
    try (CommandSession session =
        processor.createSession(new ByteArrayInputStream(new byte[0]), out, errors)) {
      print(session, session.execute(line), out);
    } catch (Exception | LinkageError e) {
      errors.println(CommandFailure.sentence(e));
    }
    errors.flush();
    return watched.written ? 1 : 0;
  }

  private static void print(CommandSession session, @Nullable Object result, PrintStream out) {
    if (result == null) {
      return;
    }
    String text =
        result instanceof CharSequence
            ? result.toString()
            : session.format(result, Converter.INSPECT).toString();
    if (!text.isEmpty()) {
      out.print(text.endsWith("\n") ? text : text + "\n");
    }
  }

  /** Knows whether anything went through. */
  private static final class Watched extends FilterOutputStream {
    private volatile boolean written;

    Watched(OutputStream to) {
      super(to);
    }

    @Override
    public void write(int b) throws IOException {
      written = true;
      out.write(b);
    }

    @Override
    public void write(byte[] bytes, int from, int length) throws IOException {
      written |= length > 0;
      out.write(bytes, from, length);
    }
  }
}
