using CredBroker.Abstractions;
using CredBroker.Core;
using Microsoft.EntityFrameworkCore.Storage.ValueConversion;

namespace CredBroker.EntityFrameworkCore.Model;

/// <summary>Unix microseconds: SQLite cannot order a <see cref="DateTimeOffset"/>.</summary>
internal sealed class InstantConverter() : ValueConverter<DateTimeOffset, long>(instant => instant.ToMicros(), micros => Instants.FromMicros(micros));

/// <summary>Microseconds.</summary>
internal sealed class SpanConverter() : ValueConverter<TimeSpan, long>(span => span.Ticks / TimeSpan.TicksPerMicrosecond, micros => TimeSpan.FromMicroseconds(micros));

/// <summary>16 bytes, most significant first, so that they order as the printed form does.</summary>
internal sealed class UidBytesConverter() : ValueConverter<Uid, byte[]>(uid => uid.ToBytes(), bytes => Uid.FromBytes(bytes));

/// <summary>PostgreSQL's own type, which orders in the same way.</summary>
internal sealed class UidGuidConverter() : ValueConverter<Uid, Guid>(uid => uid.Value, guid => new Uid(guid));
