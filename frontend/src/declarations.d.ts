// Text of a style sheet, for a shadow root.
declare module "*.css" {
  const text: string;
  export default text;
}
