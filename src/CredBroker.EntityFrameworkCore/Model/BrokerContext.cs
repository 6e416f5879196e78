using System.Text.RegularExpressions;
using CredBroker.Abstractions;
using Microsoft.EntityFrameworkCore;

namespace CredBroker.EntityFrameworkCore.Model;

/// <summary>The one model of both databases. It is read through contexts; everything is written by the <see cref="Writing.BrokerWriter"/>.</summary>
public abstract partial class BrokerContext(DbContextOptions options) : DbContext(options)
{
    public DbSet<TaskRow> Tasks => Set<TaskRow>();
    public DbSet<LivenessRow> Liveness => Set<LivenessRow>();
    public DbSet<TextRow> Texts => Set<TextRow>();
    public DbSet<LabelRow> Labels => Set<LabelRow>();
    public DbSet<LeaseRow> Leases => Set<LeaseRow>();
    public DbSet<GateRow> Gates => Set<GateRow>();
    public DbSet<RegistryRow> Registry => Set<RegistryRow>();
    public DbSet<GenerationRow> Generations => Set<GenerationRow>();
    public DbSet<CounterRow> Counters => Set<CounterRow>();
    public DbSet<WorkloadRow> Workloads => Set<WorkloadRow>();
    public DbSet<SuspensionRow> Suspensions => Set<SuspensionRow>();
    public DbSet<ReconciliationRow> Reconciliations => Set<ReconciliationRow>();
    public DbSet<FanOutRow> FanOuts => Set<FanOutRow>();
    public DbSet<ReevaluationRow> Reevaluations => Set<ReevaluationRow>();
    public DbSet<RequestRow> Requests => Set<RequestRow>();
    public DbSet<DeliveryRow> Deliveries => Set<DeliveryRow>();
    public DbSet<GroupRow> Groups => Set<GroupRow>();
    public DbSet<ReceiptRow> Receipts => Set<ReceiptRow>();
    public DbSet<AuditRow> AuditEvents => Set<AuditRow>();
    public DbSet<AuditTextRow> AuditTexts => Set<AuditTextRow>();
    public DbSet<SecretBindingRow> SecretBindings => Set<SecretBindingRow>();
    public DbSet<LifeRow> Life => Set<LifeRow>();
    public DbSet<SchemaFloorRow> SchemaFloor => Set<SchemaFloorRow>();
    public DbSet<EpochRow> Epochs => Set<EpochRow>();
    public DbSet<WriterRow> Writers => Set<WriterRow>();
    public DbSet<SigningKeyRow> SigningKeys => Set<SigningKeyRow>();
    public DbSet<ProtectionKeyRow> ProtectionKeys => Set<ProtectionKeyRow>();

    /// <summary>The collation under which paths order by their bytes; null where that is the default.</summary>
    protected abstract string? ByteOrder { get; }

    /// <summary>The schema; null where there are none.</summary>
    protected abstract string? Schema { get; }

    /// <inheritdoc/>
    protected override void ConfigureConventions(ModelConfigurationBuilder configurationBuilder)
    {
        configurationBuilder.Properties<DateTimeOffset>().HaveConversion<InstantConverter>();
        configurationBuilder.Properties<TimeSpan>().HaveConversion<SpanConverter>();
    }

    /// <inheritdoc/>
    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        if (Schema is not null) modelBuilder.HasDefaultSchema(Schema);
        WorkTables.Configure(modelBuilder, ByteOrder);
        RegistryTables.Configure(modelBuilder);
        WriterTables.Configure(modelBuilder);
        foreach (var property in modelBuilder.Model.GetEntityTypes().SelectMany(entity => entity.GetProperties())) property.SetColumnName(ToSnakeCase(property.Name));
    }

    internal static string ToSnakeCase(string name) => WordStart().Replace(name, "_$0").ToLowerInvariant();

    [GeneratedRegex("(?<!^)[A-Z]")]
    private static partial Regex WordStart();
}

/// <summary>SQLite: ids are blobs.</summary>
public sealed class SqliteBrokerContext(DbContextOptions<SqliteBrokerContext> options) : BrokerContext(options)
{
    /// <inheritdoc/>
    protected override string? ByteOrder => null;

    /// <inheritdoc/>
    protected override string? Schema => null;

    /// <inheritdoc/>
    protected override void ConfigureConventions(ModelConfigurationBuilder configurationBuilder)
    {
        base.ConfigureConventions(configurationBuilder);
        configurationBuilder.Properties<Uid>().HaveConversion<UidBytesConverter>();
    }
}

/// <summary>PostgreSQL: ids are <c>uuid</c>, and everything is in a schema of its own.</summary>
public sealed class PostgresBrokerContext(DbContextOptions<PostgresBrokerContext> options) : BrokerContext(options)
{
    /// <summary>The schema.</summary>
    public const string SchemaName = "credbroker";

    /// <inheritdoc/>
    protected override string? ByteOrder => "C";

    /// <inheritdoc/>
    protected override string? Schema => SchemaName;

    /// <inheritdoc/>
    protected override void ConfigureConventions(ModelConfigurationBuilder configurationBuilder)
    {
        base.ConfigureConventions(configurationBuilder);
        configurationBuilder.Properties<Uid>().HaveConversion<UidGuidConverter>();
    }
}
