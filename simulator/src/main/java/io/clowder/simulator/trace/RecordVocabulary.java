// SPDX-License-Identifier: Apache-2.0
package io.clowder.simulator.trace;

import io.clowder.api.NodeId;
import io.clowder.api.protocol.Message;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.RecordComponent;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The records of a sealed interface, as {@code Name component=value …}. Knows numbers, truth values
 * and nodes; a protocol with other components overrides both {@code value} methods.
 */
public class RecordVocabulary implements Vocabulary {
  private final Map<String, Class<?>> kinds = new HashMap<>();

  /** All records that {@code sealed} permits, directly or not. */
  public RecordVocabulary(Class<?> sealed) {
    collect(sealed);
  }

  private void collect(Class<?> type) {
    if (type.isRecord()) {
      kinds.put(type.getSimpleName(), type);
    } else {
      for (Class<?> permitted : type.getPermittedSubclasses()) {
        collect(permitted);
      }
    }
  }

  /** The text of one component. */
  protected String print(@Nullable Object value) {
    return value == null ? "-" : value.toString();
  }

  /** The component of that text. */
  protected @Nullable Object parse(Class<?> type, String text) {
    if (type == long.class) {
      return Long.valueOf(text);
    }
    if (type == boolean.class) {
      return Boolean.valueOf(text);
    }
    if (type == NodeId.class) {
      return text.equals("-") ? null : new NodeId(text);
    }
    throw new IllegalArgumentException("no text form of " + type);
  }

  @Override
  public final String print(Message message) {
    StringBuilder text = new StringBuilder(message.getClass().getSimpleName());
    try {
      for (RecordComponent component : message.getClass().getRecordComponents()) {
        component.getAccessor().setAccessible(true);
        Object value = component.getAccessor().invoke(message);
        text.append(' ').append(component.getName()).append('=').append(print(value));
      }
    } catch (IllegalAccessException | InvocationTargetException e) {
      throw new IllegalArgumentException(message.toString(), e);
    }
    return text.toString();
  }

  @Override
  public final Message parse(String text) {
    String[] words = text.strip().split(" +");
    Class<?> kind = kinds.get(words[0]);
    if (kind == null) {
      throw new IllegalArgumentException("no message kind in: " + text);
    }
    RecordComponent[] components = kind.getRecordComponents();
    if (components.length != words.length - 1) {
      throw new IllegalArgumentException(components.length + " components expected in: " + text);
    }
    Class<?>[] types = new Class<?>[components.length];
    @Nullable Object[] values = new @Nullable Object[components.length];
    for (int i = 0; i < components.length; i++) {
      String name = components[i].getName() + "=";
      if (!words[i + 1].startsWith(name)) {
        throw new IllegalArgumentException(name + " expected in: " + text);
      }
      types[i] = components[i].getType();
      values[i] = parse(types[i], words[i + 1].substring(name.length()));
    }
    try {
      var constructor = kind.getDeclaredConstructor(types);
      constructor.setAccessible(true);
      return (Message) constructor.newInstance(values);
    } catch (ReflectiveOperationException e) {
      throw new IllegalArgumentException(text, e);
    }
  }
}
