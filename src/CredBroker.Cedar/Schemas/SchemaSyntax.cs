using System.Collections.Immutable;

namespace CredBroker.Cedar.Schemas;

/// <summary>A schema as it was written, text or JSON, before its names are resolved.</summary>
/// <param name="Declarations">What is declared, in order.</param>
/// <param name="Spaces">The namespaces that were opened, in order.</param>
internal sealed record SchemaSyntax(ImmutableArray<DeclarationSyntax> Declarations, ImmutableArray<SpaceSyntax> Spaces);

internal sealed record SpaceSyntax(string Name, ImmutableArray<Annotation> Annotations);

/// <summary>A name as it stands in the text of a schema.</summary>
internal sealed record NameSyntax(string Name, SourceLocation Location);

/// <summary>What a type's name may stand for. Text always leaves it open; JSON may say.</summary>
internal enum TypeNameKind : byte
{
    Any,
    Entity,
    Common,
    BuiltIn,
}

internal abstract record TypeSyntax(SourceLocation Location)
{
    public sealed record Named(string Path, SourceLocation Location, TypeNameKind Kind = TypeNameKind.Any) : TypeSyntax(Location);

    public sealed record Set(TypeSyntax Element, SourceLocation Location) : TypeSyntax(Location);

    public sealed record Record(ImmutableArray<AttributeSyntax> Attributes, SourceLocation Location) : TypeSyntax(Location);
}

internal sealed record AttributeSyntax(NameSyntax Name, bool IsRequired, TypeSyntax Type, ImmutableArray<Annotation> Annotations);

internal abstract record DeclarationSyntax(string Space, ImmutableArray<NameSyntax> Names)
{
    public ImmutableArray<Annotation> Annotations { get; init; } = [];

    public sealed record Entity(string Space, ImmutableArray<NameSyntax> Names, ImmutableArray<NameSyntax> Parents, TypeSyntax Attributes, TypeSyntax? Tags)
        : DeclarationSyntax(Space, Names);

    public sealed record EnumEntity(string Space, ImmutableArray<NameSyntax> Names, ImmutableArray<string> Ids) : DeclarationSyntax(Space, Names);

    public sealed record CommonType(string Space, ImmutableArray<NameSyntax> Names, TypeSyntax Type) : DeclarationSyntax(Space, Names);

    public sealed record Action(string Space, ImmutableArray<NameSyntax> Names, ImmutableArray<ActionReference> Parents, AppliesToSyntax? AppliesTo)
        : DeclarationSyntax(Space, Names);
}

/// <summary>An action named as a parent; without a type path it is of the same namespace.</summary>
internal sealed record ActionReference(string? TypePath, string Id, SourceLocation Location);

internal sealed record AppliesToSyntax(ImmutableArray<NameSyntax> Principals, ImmutableArray<NameSyntax> Resources, TypeSyntax? Context);
