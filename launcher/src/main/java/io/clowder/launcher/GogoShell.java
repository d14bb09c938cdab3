// SPDX-License-Identifier: Apache-2.0
package io.clowder.launcher;

import java.io.ByteArrayInputStream;
import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.lang.reflect.InvocationTargetException;
import java.nio.charset.StandardCharsets;
import java.util.Collection;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.ServiceReference;
import org.osgi.framework.launch.Framework;
import org.osgi.framework.wiring.FrameworkWiring;
import org.osgi.service.component.runtime.ServiceComponentRuntime;

/**
 * Runs lines in the framework's Gogo shell, each in a session of its own. Gogo is called by
 * reflection: its API finds its runtime through its own class loader, so a copy on the launcher's
 * class path, lent to the bundles, would be cut off from it.
 *
 * <p>Gogo's own commands say what went wrong and return as if nothing had: so a line that wrote to
 * standard error has failed, and so has a command on bundles that had something to say.
 */
final class GogoShell implements ShellServer.Shell {
  private static final String API = "org.apache.felix.service.command.";

  /** Gogo's name for the form of a value that people read at a prompt. */
  private static final int INSPECT = 0;

  private static final Pattern SILENT_IF_DONE =
      Pattern.compile("\\s*(felix:)?(start|stop|update|uninstall)\\b.*", Pattern.DOTALL);
  private static final Pattern INSTALL =
      Pattern.compile("\\s*(felix:)?install\\b.*", Pattern.DOTALL);
  private static final Pattern REPLACES =
      Pattern.compile("\\s*(felix:)?(update|uninstall)\\b.*", Pattern.DOTALL);
  private static final Pattern UNKNOWN =
      Pattern.compile("Command not found: (clowder|kv|lock|fd|store|dht|task):.*", Pattern.DOTALL);

  /** What Gogo says when the service behind a command cannot be had. */
  private static final String NO_COMPONENT =
      "Cannot invoke \"Object.getClass()\" because \"target\" is null";

  private static final Pattern EXCEPTION = Pattern.compile("(java\\.[\\w.]+Exception): (?=.)");
  private static final Pattern MISFIT =
      Pattern.compile("Cannot coerce (\\w+)\\(.*", Pattern.DOTALL);

  private final Framework framework;

  GogoShell(Framework framework) {
    this.framework = framework;
  }

  @Override
  public int execute(String line, PrintStream out, PrintStream err) {
    // Looked up each time: the bundle may be updated between two lines.
    BundleContext context = framework.getBundleContext();
    ServiceReference<?> reference =
        context == null ? null : context.getServiceReference(API + "CommandProcessor");
    Object processor = reference == null ? null : context.getService(reference);
    if (processor == null) {
      err.println("the shell's bundle org.apache.felix.gogo.runtime is not active on this node");
      return 1;
    }
    try {
      int status = run(processor, line, out, err);
      if (status == 0 && REPLACES.matcher(line).matches()) {
        hintAtRefresh(out);
      }
      return status;
    } finally {
      context.ungetService(reference);
    }
  }

  /** Other bundles keep the code that they were given until they are wired anew. */
  private void hintAtRefresh(PrintStream out) {
    Collection<Bundle> pending = framework.adapt(FrameworkWiring.class).getRemovalPendingBundles();
    for (Bundle bundle : pending) {
      out.println(
          "others still use the old code of %s; to end that: refresh %d"
              .formatted(bundle.getSymbolicName(), bundle.getBundleId()));
    }
  }

  private int run(Object processor, String line, PrintStream out, PrintStream err) {
    Watched watched = new Watched(err);
    PrintStream errors = new PrintStream(watched, true, StandardCharsets.UTF_8);
    try {
      Session session = Session.open(processor, out, errors);
      try {
        print(line, session.format(session.execute(line)), out, errors);
      } finally {
        session.close();
      }
    } catch (InvocationTargetException e) {
      errors.println(problem(line, CommandFailure.sentence(e.getCause())));
    } catch (ReflectiveOperationException e) {
      errors.println("this node's shell is of another version: " + e.getMessage());
    }
    errors.flush();
    return watched.written ? 1 : 0;
  }

  private static void print(String line, String value, PrintStream out, PrintStream errors) {
    if (!value.isEmpty()) {
      boolean failed =
          SILENT_IF_DONE.matcher(line).matches()
              || (INSTALL.matcher(line).matches() && !value.startsWith("Bundle ID"));
      String text = failed ? EXCEPTION.matcher(value).replaceFirst("") : value;
      (failed ? errors : out).print(text.endsWith("\n") ? text : text + "\n");
    }
  }

  private String problem(String line, String sentence) {
    if (UNKNOWN.matcher(sentence).matches()) {
      // A command goes with its bundle, and with the service that it speaks for.
      String stopped = stopped();
      return sentence
          + (stopped.isEmpty() ? "; see: help, clowder:why" : "; not active: " + stopped);
    }
    String command = line.strip().split("\\s", 2)[0];
    if (NO_COMPONENT.equals(sentence)) {
      return command + ": its service does not start: " + failedComponent();
    }
    if (sentence.equals("NullPointerException")) {
      return command + ": it cannot do that; see: help " + command;
    }
    // Gogo could not make the words into what the command takes, such as a number into a bundle.
    return MISFIT
        .matcher(sentence)
        .replaceFirst("$1: no such bundle, or the arguments do not fit; see: help $1");
  }

  /** Why a component of ours could not be activated, such as a configuration that it refuses. */
  private String failedComponent() {
    BundleContext context = framework.getBundleContext();
    ServiceReference<ServiceComponentRuntime> reference =
        context == null ? null : context.getServiceReference(ServiceComponentRuntime.class);
    ServiceComponentRuntime components = reference == null ? null : context.getService(reference);
    String failed = components == null ? null : ComponentFailures.failed(components);
    return failed == null ? "see the node's log" : failed;
  }

  /** Those of our bundles that are not active, each with the command that starts it. */
  private String stopped() {
    BundleContext context = framework.getBundleContext();
    return context == null
        ? ""
        : Stream.of(context.getBundles())
            .filter(bundle -> bundle.getState() != Bundle.ACTIVE)
            .filter(bundle -> bundle.getSymbolicName() != null)
            .filter(bundle -> bundle.getSymbolicName().startsWith("io.clowder."))
            .map(bundle -> bundle.getSymbolicName() + " (start " + bundle.getBundleId() + ")")
            .collect(Collectors.joining(", "));
  }

  /** A command session, by the names of its methods. */
  private record Session(Class<?> type, Object session) {
    static Session open(Object processor, PrintStream out, PrintStream err)
        throws ReflectiveOperationException {
      ClassLoader loader = processor.getClass().getClassLoader();
      Object session =
          loader
              .loadClass(API + "CommandProcessor")
              .getMethod("createSession", InputStream.class, OutputStream.class, OutputStream.class)
              .invoke(processor, new ByteArrayInputStream(new byte[0]), out, err);
      Class<?> type = loader.loadClass(API + "CommandSession");
      // Gogo takes every stream for a terminal and would colour what scripts read.
      for (String colours : List.of("GREP_COLORS", "LS_COLORS")) {
        type.getMethod("put", String.class, Object.class).invoke(session, colours, "mt=");
      }
      return new Session(type, session);
    }

    @Nullable Object execute(String line) throws ReflectiveOperationException {
      return type.getMethod("execute", CharSequence.class).invoke(session, line);
    }

    String format(@Nullable Object value) throws ReflectiveOperationException {
      if (value == null) {
        return "";
      }
      if (value instanceof CharSequence) {
        return value.toString();
      }
      return String.valueOf(
          type.getMethod("format", Object.class, int.class).invoke(session, value, INSPECT));
    }

    void close() throws ReflectiveOperationException {
      type.getMethod("close").invoke(session);
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
